"""Sockets that do not read, come in crowds, or lose the database or Redis: nobody else notices."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from limits import RateLimitItemPerMinute
from pytest_django import Settings

from accounts.models import Site, User
from bot import events, outbox
from bot.web import doors, listener, rates, sign_in
from bot.web.feed import feed
from bot.web.session import Session
from bot.web.watch import watch
from config.asgi import application
from tests.bot.conftest import Connect, Tab, socket
from tests.bot.web.test_catch_up import running_turn
from tests.conftest import sign
from tests.sockets import SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

PUBLIC = "203.0.114.7"  # of the internet; what documents use for examples is not


class Peer:
    """A browser whose network takes only so many frames."""

    def __init__(self, takes: int) -> None:
        self.frames: list[dict[str, Any]] = []
        self.takes = takes
        self.ready = asyncio.Event()
        self.aborted = asyncio.Event()
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.transport = self

    def abort(self) -> None:
        """As the server's transport does."""
        self.aborted.set()
        self._incoming.put_nowait({"type": "websocket.disconnect", "code": 1006})

    async def send(self, message: dict[str, Any]) -> None:
        if len(self.frames) >= self.takes:
            await asyncio.Event().wait()
        self.frames.append(message)
        if '"ready"' in message.get("text", ""):
            self.ready.set()

    async def run(self) -> None:
        for message in (
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": json.dumps({"type": "hello", "identity": sign("alice")})},
        ):
            self._incoming.put_nowait(message)
        origin = (b"origin", settings.PUBLIC_URL.encode())
        scope = {"type": "websocket", "path": "/ws/chat/demo/", "headers": [origin], "subprotocols": []}
        await application(scope, self._incoming.get, self.send)


@pytest.fixture
async def clean() -> AsyncIterator[None]:
    yield
    await watch().close()
    await feed().close()


async def test_peer_that_never_reads_is_cut_off_and_leaves_nothing(
    tab: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "READ_SECONDS", 0.1)
    monkeypatch.setattr(listener, "LAST_SECONDS", 0.1)
    async with tab("alice") as alice:
        peer = Peer(takes=2)  # accept and ready
        running = asyncio.create_task(peer.run())
        await peer.ready.wait()
        _, log = await running_turn(alice)
        log.text("Is anybody reading?")
        async with asyncio.timeout(SECONDS):
            await peer.aborted.wait()
            await running
        assert len(watch()._sockets) == 1
        assert sum(len(hearers) for hearers in feed()._hearers.values()) == 1
        log.text(" Somebody is.")
        await alice.until("delta", text=" Somebody is.")


async def test_peer_that_lets_too_much_pile_up_is_closed_with_4408(
    tab: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "MOST_WAITING", 5)
    async with tab("alice") as alice:
        conversation = alice.frames[0]["conversation"]["id"]
        for _ in range(50):
            outbox.outbox().publish(events.group_of(UUID(conversation)), {"type": "status", "handler": "bot"})
        await asyncio.to_thread(outbox.outbox().flush)
        assert await alice.closed() == 4408


async def test_sockets_of_one_address_are_limited_and_those_of_a_network_s_inside_are_not(
    site: Site, clean: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRUSTED_PROXIES = 1
    monkeypatch.setattr(doors, "SOCKETS_PER_ADDRESS", 2)
    for address, welcome in ((PUBLIC, 2), ("10.0.0.7", 3), ("2a01:4f8::1", 2)):
        async with crowd(address, 3) as tabs:
            for one in tabs[:welcome]:
                await one.send("hello")
                await one.until("ready")
            for one in tabs[welcome:]:
                assert await one.closed() == 4429
    # Whoever has gone makes room.
    async with crowd(PUBLIC, 1) as (one,):
        await one.send("hello")
        await one.until("ready")
    assert not doors.doorway()._inside


async def test_new_visitors_of_one_address_are_limited_and_those_who_come_back_are_not(
    site: Site, clean: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRUSTED_PROXIES = 1
    monkeypatch.setattr(rates, "NEW_VISITORS", RateLimitItemPerMinute(1, namespace=str(id(monkeypatch))))
    async with crowd(PUBLIC, 3) as (first, back, new):
        await first.send("hello")
        token = (await first.until("ready"))["token"]
        await back.send("hello", token=token)
        await back.until("ready")
        await new.send("hello")
        assert (await new.next())["code"] == "rate_limited"
        assert await new.closed() == 4429


async def test_nobody_is_refused_at_the_door_while_redis_is_away(
    site: Site, clean: None, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = 1
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    rates._limiter.cache_clear()
    try:
        async with crowd(PUBLIC, 1) as (one,):
            await one.send("hello")
            await one.until("ready")
            await one.say("Is anybody there?")
            await one.until("accepted")
    finally:
        rates._limiter.cache_clear()


async def test_socket_is_told_to_come_back_when_the_database_fails(
    tab: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: object, **kwargs: object) -> None:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(Session, "post", gone)
    async with tab("alice") as alice:
        await alice.say("Will this be kept?")
        assert await alice.closed() == 1012
        assert "accepted" not in [frame["type"] for frame in alice.frames]


async def test_many_resumes_count_as_many_frames(tab: Connect) -> None:
    async with tab("alice") as alice:
        turn, log = await running_turn(alice)
        for number in range(150):
            log.working(str(number))
        await alice.until("working", label="149")
        for _ in range(20):
            await alice.send("resume", turn=str(turn.id), after=0)
        assert await alice.closed() == 4429


def test_staff_sign_in_while_redis_is_away_and_guessing_is_still_slowed(
    bob: User, settings: Settings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    sign_in._limits.cache_clear()
    try:
        form = {"email": bob.email, "password": "wrong"}
        for _ in range(10):
            assert Client().post("/desk/sign-in/", form).status_code == 401
        right = form | {"password": "a-long-password"}
        assert Client().post("/desk/sign-in/", right).status_code == 429
        elsewhere = Client(REMOTE_ADDR="198.51.100.9")
        assert elsewhere.post("/desk/sign-in/", right).status_code == 302
    finally:
        sign_in._limits.cache_clear()


@asynccontextmanager
async def crowd(address: str, size: int) -> AsyncIterator[list[Tab]]:
    """So many tabs, connected through a proxy that says where they come from."""
    sockets = [socket() for _ in range(size)]
    for one in sockets:
        one.scope["headers"].append((b"x-forwarded-for", address.encode()))
        assert await one.connect()
    yield [Tab(one) for one in sockets]
    for one in sockets:
        await one.disconnect()
