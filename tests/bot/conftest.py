"""The whole path of a turn: PostgreSQL, Redis, Celery worker and scrubber are real, the model scripted."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import redis
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from kombu.transport.redis import Transport

from accounts import keys
from accounts.models import Site
from bot import rescue, tasks
from bot.llm.scripted import Scripted
from bot.models import Model, Provider
from bot.privacy import veil
from bot.privacy.engine import Engine
from bot.steps import upstream
from bot.web.feed import feed
from bot.web.watch import watch
from config.celery import app
from tests.conftest import sign
from tests.sockets import SECONDS, Socket


class Tab:
    """One browser tab's socket: everything it has received stays in `frames`."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    async def send(self, type: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": type, **fields}))

    async def say(self, text: str, **fields: Any) -> str:
        """Send a message; its uuid."""
        uuid = str(uuid4())
        await self.send("message", id=uuid, text=text, **fields)
        return uuid

    async def next(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.socket.receive())
        self.frames.append(frame)
        return frame

    async def until(self, type: str, **fields: Any) -> dict[str, Any]:
        """The next frame of this type with these fields; what comes before it is kept in `frames`."""
        while True:
            frame = await self.next()
            if frame["type"] == type and all(frame.get(name) == value for name, value in fields.items()):
                return frame

    async def closed(self) -> int:
        """The code the socket is closed with."""
        while True:
            output = await self.socket.receive_output(SECONDS)
            if output["type"] == "websocket.close":
                return int(output["code"])

    def text(self) -> str:
        """What a browser shows of the turns so far: deltas since the last reset."""
        shown = ""
        for frame in self.frames:
            if frame["type"] == "delta":
                shown += frame["text"]
            elif frame["type"] == "reset":
                shown = ""
        return shown


Connect = Callable[..., Any]


def socket(site: str = "demo", origin: str | None = settings.PUBLIC_URL) -> Socket:
    headers = [(b"origin", origin.encode())] if origin is not None else []
    return Socket(f"/ws/chat/{site}/", headers)


@pytest.fixture
async def tab(site: Site) -> AsyncIterator[Connect]:
    """Open a tab: `async with tab("alice") as alice:`; anonymous without a name."""

    @asynccontextmanager
    async def connect(sub: str = "", *, hello: bool = True, **fields: Any) -> AsyncIterator[Tab]:
        communicator = socket()
        assert await communicator.connect()
        one = Tab(communicator)
        if hello:
            if sub:
                fields["identity"] = sign(sub)
            await one.send("hello", **fields)
            await one.until("ready")
        try:
            yield one
        finally:
            await communicator.disconnect()

    yield connect
    await watch().close()
    await feed().close()


@pytest.fixture(autouse=True)
def fresh_keys() -> Iterator[None]:
    """The keys of the deployment are made anew where a test before has emptied the tables."""
    keys.key.cache_clear()
    yield
    keys.key.cache_clear()


@pytest.fixture
def model(site: Site, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """The scripted model that answers in place of an endpoint."""
    provider = Provider.objects.create(name="scripted", base_url="http://127.0.0.1:9/v1")
    Model.objects.create(provider=provider, name="gpt-4o-mini", model_class="small")
    scripted = Scripted()
    monkeypatch.setattr(upstream, "_client", lambda model: scripted)
    return scripted


@pytest.fixture(scope="session")
def scrubber() -> Iterator[None]:
    # Patient: how soon a silent process is given up has tests of its own, and this machine may be busy.
    engine = Engine(call_limit=30)
    engine.start()
    assert engine.wait_ready()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(veil, "engine", lambda: engine)
        yield
    engine.stop()


@pytest.fixture
def worker(transactional_db: None, scrubber: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real Celery worker on the real broker, in threads of this process."""
    # It notices between two looks at the queue that it shall end.
    monkeypatch.setattr(Transport, "brpop_timeout", 0.1)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushall()
    assert tasks.answer_next.name in app.tasks
    with start_worker(app, pool="threads", concurrency=4, perform_ping_check=False, shutdown_timeout=20):
        yield
        rescue.stop()
