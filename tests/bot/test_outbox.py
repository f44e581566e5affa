"""The thread that writes events, on a real Redis: full, emptied, stopped, silent."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from redis.exceptions import RedisError

from bot.outbox import Channel, Outbox, turn_keys
from bot.outbox import writer as writers
from bot.outbox.channel import JOIN_CHARACTERS, SLOWER_AFTER
from tests.bot.web.own_redis import OwnRedis


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client
        client.config_set("maxmemory", 0)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnRedis]:
    with OwnRedis(tmp_path) as own:
        yield own


def new_channel(attempt: int = 1, turn: str = "") -> Channel:
    def delta(text: str) -> str:
        return json.dumps({"type": "delta", "text": text})

    return Channel(turn or str(uuid4()), attempt, "nobody", delta, '{"type":"reset"}')


def kept(outbox: Outbox, channel: Channel) -> list[dict[str, Any]]:
    return [one.event for one in outbox.log.read(channel.turn, 0)[0]]


def say(outbox: Outbox, channel: Channel, kind: str, **fields: str) -> None:
    outbox.event(channel, kind, json.dumps({"type": kind, **fields}), fields.get("text", ""))


def test_events_are_numbered_from_one_and_text_is_joined() -> None:
    outbox, channel = Outbox(settings.REDIS_URL), new_channel()
    say(outbox, channel, "working", label="…")
    outbox.text(channel, "a")
    outbox.text(channel, "b")
    say(outbox, channel, "final")
    assert outbox.flush()
    assert kept(outbox, channel) == [
        {"seq": 1, "type": "working", "label": "…"},
        {"seq": 2, "type": "delta", "text": "ab"},
        {"seq": 3, "type": "final"},
    ]
    assert not channel.said
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        lives = [client.ttl(key) for key in turn_keys(channel.turn)]
    assert all(3500 < seconds <= 3600 for seconds in lives)


def test_event_is_written_once_redis_has_room_again(server: redis.Redis) -> None:
    outbox, channel = Outbox(settings.REDIS_URL), new_channel()
    say(outbox, channel, "working", label="…")
    outbox.text(channel, "Hello")
    assert outbox.flush()
    server.config_set("maxmemory", 1)
    outbox.text(channel, " Alice")
    assert not outbox.flush(0.3)
    assert [event["seq"] for event in kept(outbox, channel)] == [1, 2]
    server.config_set("maxmemory", 0)
    assert outbox.flush()
    # What Redis has not surely taken is not repeated: all of it is told again.
    assert kept(outbox, channel)[2:] == [
        {"seq": 3, "type": "reset"},
        {"seq": 4, "type": "working", "label": "…"},
        {"seq": 5, "type": "delta", "text": "Hello Alice"},
    ]


def test_turn_is_told_again_above_all_numbers_when_redis_has_lost_its_data(server: redis.Redis) -> None:
    outbox, channel = Outbox(settings.REDIS_URL), new_channel()
    outbox.text(channel, "Hello")
    assert outbox.flush()
    server.flushall()
    server.script_flush()
    outbox.text(channel, " Alice")
    assert outbox.flush()
    first, second = kept(outbox, channel)
    assert (first["type"], second["type"], second["text"]) == ("reset", "delta", "Hello Alice")
    assert second["seq"] == first["seq"] + 1 > 2


def test_events_go_on_counting_where_only_the_count_was_lost(server: redis.Redis) -> None:
    outbox, channel = Outbox(settings.REDIS_URL), new_channel()
    outbox.text(channel, "Hello")
    assert outbox.flush()
    server.delete(f"fd:turn:{channel.turn}")
    say(outbox, new_channel(turn=channel.turn), "working", label="…")
    assert outbox.flush()
    assert [event["seq"] for event in kept(outbox, channel)] == [1, 2]


@pytest.mark.parametrize(("attempt", "first"), [(1, 10_001), (2, 20_001), (3, 30_001)])
def test_attempt_that_begins_with_a_reset_leaps(attempt: int, first: int) -> None:
    outbox, channel = Outbox(settings.REDIS_URL), new_channel(attempt)
    say(outbox, channel, "reset")
    say(outbox, channel, "working", label="…")
    assert outbox.flush()
    assert [event["seq"] for event in kept(outbox, channel)] == [first, first + 1]


def test_second_writer_of_an_attempt_is_heard_as_well() -> None:
    outbox, channel = Outbox(settings.REDIS_URL), new_channel(0)
    for place in ("3", "2", "1"):
        say(outbox, new_channel(0, channel.turn), "working", label=place)
    assert outbox.flush()
    assert [event["seq"] for event in kept(outbox, channel)] == [1, 2, 3]


def test_lower_attempt_is_fenced_and_leaves_nothing_behind() -> None:
    outbox, old = Outbox(settings.REDIS_URL), new_channel()
    outbox.text(old, "Only this")
    assert outbox.flush()
    new = new_channel(2, old.turn)
    assert [one.event["text"] for one in outbox.take_over(new)] == ["Only this"]
    outbox.text(old, " and never this")
    assert outbox.flush()
    assert old.fenced.is_set()
    outbox.text(old, " nor this")
    assert outbox.flush()
    assert [event["text"] for event in kept(outbox, old)] == ["Only this"]
    assert not old.said
    assert not outbox._work.speaking
    assert not outbox._work.torn


def test_nothing_follows_a_final() -> None:
    outbox, channel = Outbox(settings.REDIS_URL), new_channel()
    say(outbox, channel, "final")
    say(outbox, new_channel(2, channel.turn), "reset")
    assert outbox.flush()
    assert [event["type"] for event in kept(outbox, channel)] == ["final"]


def test_callers_never_wait_and_nothing_is_lost_while_redis_is_away(own: OwnRedis) -> None:
    outbox, channel = Outbox(own.url), new_channel()
    other = new_channel()
    outbox.text(channel, "0 ")
    assert outbox.flush()
    own.stop()
    began = time.monotonic()
    for number in range(1, 10_000):
        outbox.text(channel, f"{number} ")
        say(outbox, other, "working", label=str(number))
        outbox.publish("nobody", {"type": "desk_changed", "conversation": str(number)})
    say(outbox, channel, "final", text="whole")
    assert time.monotonic() - began < 2
    assert not outbox.flush(1)
    # Bounded: a reply once, one label, the newest publications.
    assert len(outbox._work.ready) <= 2 * writers.MOST_PUBLICATIONS
    assert len(other.said) <= 1
    own.start()
    assert outbox.flush(10)
    told = kept(outbox, channel)
    assert [event["type"] for event in told] == ["reset", "delta", "final"]
    assert told[1]["text"] == "whole"
    assert kept(outbox, other)[-1]["label"] == "9999"


def test_turns_that_are_over_are_forgotten_after_a_while_without_redis(
    own: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "OVER_SECONDS", 0.2)
    outbox, over, running = Outbox(own.url), new_channel(), new_channel()
    own.stop()
    say(outbox, over, "final", text="Read it from the database")
    outbox.text(running, "Still here")
    assert not outbox.flush(1.5)
    own.start()
    assert outbox.flush(10)
    assert kept(outbox, over) == []
    assert [event["text"] for event in kept(outbox, running) if event["type"] == "delta"] == ["Still here"]


@pytest.mark.parametrize("silent", [True, False], ids=["black hole", "nobody there"])
def test_take_over_fails_within_a_second_when_redis_does_not_answer(*, silent: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hole:
        port = hole.getsockname()[1]
        if not silent:
            hole.close()
        outbox = Outbox(f"redis://127.0.0.1:{port}/0")
        began = time.monotonic()
        with pytest.raises(RedisError):
            outbox.take_over(new_channel())
        assert time.monotonic() - began < 1.5


def test_long_answers_are_told_in_larger_pieces() -> None:
    """A log of 2,000 events is never cut, however long a model talks."""
    channel, now, events = new_channel(), 0.0, 0
    while now < 280:  # longer than the most patient deadline
        channel.wait_for_more("x" * (JOIN_CHARACTERS // 2))
        if channel.is_due(now):
            channel.release(now)
            events += 1
        now += 0.02
    assert SLOWER_AFTER < events < 2000
