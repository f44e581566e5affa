"""Somebody writes an e-mail address and a phone number: they read them again, nobody else does."""

import threading

import pytest
from playwright.sync_api import expect

from tests.journeys.model import StandIn
from tests.journeys.people import Arrive
from tests.journeys.product import Product

pytestmark = pytest.mark.journey
EMAIL = "zoe.quillfeather@example.org"
PHONE = "+1 415 555 0137"
LAST = "the journey is over"


class RedisEar:
    """Hears every command that Redis gets, published events and queued jobs included."""

    def __init__(self, product: Product) -> None:
        self._redis = product.redis()
        self._heard: list[str] = []
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "RedisEar":
        self._thread.start()
        assert self._listening.wait(10)
        return self

    def __exit__(self, *problem: object) -> None:
        self._redis.echo(LAST)
        self._thread.join(10)
        self._redis.close()

    @property
    def heard(self) -> str:
        return "\n".join(self._heard)

    def _listen(self) -> None:
        with self._redis.monitor() as monitor:
            self._listening.set()
            for command in monitor.listen():
                if LAST in command["command"]:
                    return
                self._heard.append(command["command"])


def everything_in_redis(product: Product) -> str:
    """All keys with all their values, whatever their type."""
    with product.redis() as redis:
        read = {
            b"string": redis.get,
            b"hash": redis.hgetall,
            b"list": lambda key: redis.lrange(key, 0, -1),
            b"set": redis.smembers,
            b"zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
            b"stream": redis.xrange,
        }
        return "\n".join(str((key, read[redis.type(key)](key))) for key in redis.scan_iter("*"))


def everything_in_tables(product: Product) -> str:
    """All rows of the tables of bot and accounts; bytes are written in hexadecimal."""
    tables = product.rows(r"SELECT tablename FROM pg_tables WHERE tablename ~ '^(bot|accounts)_'")
    rows = [product.rows(f"SELECT row_to_json(t)::text FROM {table} t") for (table,) in tables]  # noqa: S608
    return "\n".join(row for table in rows for (row,) in table)


def test_private_values_stay_on_the_customer_s_screen(
    arrive: Arrive, model: StandIn, product: Product
) -> None:
    widget = arrive().at_shop().open()
    with RedisEar(product) as ear:
        reply = widget.ask(f"My e-mail is {EMAIL} and my phone number is {PHONE}")
        for value in (EMAIL, PHONE):
            expect(reply).to_contain_text(value)
        widget.page.reload()
        widget.open()
        for place in (widget.own.last, widget.replies.last):
            expect(place).to_contain_text(EMAIL)
            expect(place).to_contain_text(PHONE)

    assert "<EMAIL_1>" in model.received
    assert "<PHONE_1>" in model.received
    assert "<EMAIL_1>" in ear.heard
    seen = {
        "the model": model.received,
        "Redis as it went by": ear.heard,
        "Redis": everything_in_redis(product),
        "PostgreSQL": everything_in_tables(product),
        "the log": product.log,
    }
    for value in (EMAIL, PHONE, PHONE.replace(" ", ""), "zoe.quillfeather"):
        for place, text in seen.items():
            assert value not in text, f"{place} holds {value}"
            assert value.encode().hex() not in text, f"{place} holds {value} in bytes"
