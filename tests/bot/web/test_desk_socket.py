"""The desk's socket: for signed-in staff on our own pages; shows what happens, with placeholders."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client

from accounts.models import Customer, User
from bot import events
from bot.models import Conversation, Turn
from bot.outbox import outbox
from bot.web import desk_socket
from tests.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def conversation(alice: Customer) -> Conversation:
    return Conversation.objects.create(site=alice.site, customer=alice)


@pytest.fixture
def cookie(bob: User) -> str:
    client = Client()
    client.force_login(bob)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def desk(cookie: str, origin: str | None = settings.PUBLIC_URL) -> Socket:
    headers = [(b"cookie", cookie.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    return Socket("/ws/desk/", headers)


@asynccontextmanager
async def connected(cookie: str) -> AsyncIterator[Socket]:
    socket = desk(cookie)
    assert await socket.connect()
    yield socket
    await socket.disconnect()


async def receive(socket: Socket, kind: str) -> dict[str, Any]:
    """The next frame of one type; others are passed over."""
    while True:
        frame: dict[str, Any] = json.loads(await socket.receive())
        if frame["type"] == kind:
            return frame


async def watch(socket: Socket, conversation: Conversation) -> dict[str, Any]:
    await socket.send(json.dumps({"type": "watch", "conversation": str(conversation.id)}))
    return await receive(socket, "watching")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", None, f"{settings.PUBLIC_URL}.evil.example"]
)
async def test_socket_refuses_other_origins(cookie: str, origin: str | None) -> None:
    assert not await desk(cookie, origin).connect()


@pytest.mark.parametrize("stale", ["", "frontdesk_session=made-up", "other=1"])
async def test_socket_refuses_who_is_not_signed_in(stale: str) -> None:
    assert not await desk(stale).connect()


async def test_socket_refuses_who_has_left(cookie: str, bob: User) -> None:
    await User.objects.aupdate(is_active=False)
    assert not await desk(cookie).connect()


async def test_socket_tells_which_conversations_changed(cookie: str, conversation: Conversation) -> None:
    async with connected(cookie) as socket:
        events.desk_changed(conversation.id)
        events.desk_changed(conversation.id)
        frame = await receive(socket, "changed")
        assert frame["conversations"] == [str(conversation.id)]


async def test_socket_forwards_the_watched_conversation_with_its_placeholders(
    cookie: str, conversation: Conversation, carol: Customer
) -> None:
    turn = await Turn.objects.acreate(conversation=conversation, state="running", attempt=1)
    other = await Conversation.objects.acreate(site_id=carol.site_id, customer=carol)
    log = events.TurnLog(turn.id, 1, conversation.id)
    log.text("Dear <PERSON_1>")
    await sync_to_async(outbox().flush)()
    async with connected(cookie) as socket:
        assert (await watch(socket, conversation))["turn"] == str(turn.id)
        await socket.send(json.dumps({"type": "resume", "turn": str(turn.id), "after": 0}))
        assert (await receive(socket, "delta"))["text"] == "Dear <PERSON_1>"
        log.text(", hello")
        assert (await receive(socket, "delta"))["seq"] == 2
        events.status(conversation.id, "queue")
        assert (await receive(socket, "status"))["handler"] == "queue"
        assert (await watch(socket, other))["turn"] is None
        log.text(" again")
        events.status(other.id, "queue")
        heard = [json.loads(await socket.receive())]
        while heard[-1]["type"] != "status":
            heard.append(json.loads(await socket.receive()))
        assert "delta" not in [frame["type"] for frame in heard]


async def test_socket_repeats_only_turns_of_the_watched_conversation(
    cookie: str, conversation: Conversation, carol: Customer
) -> None:
    other = await Conversation.objects.acreate(site_id=carol.site_id, customer=carol)
    turn = await Turn.objects.acreate(conversation=other, state="running", attempt=1)
    events.TurnLog(turn.id, 1, other.id).text("for carol")
    await sync_to_async(outbox().flush)()
    async with connected(cookie) as socket:
        await watch(socket, conversation)
        await socket.send(json.dumps({"type": "resume", "turn": str(turn.id), "after": 0}))
        await socket.send(json.dumps({"type": "ping"}))
        assert (await receive(socket, "pong")) == {"type": "pong"}


async def test_socket_closes_when_the_session_ends(
    cookie: str, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_socket, "CHECK_SECONDS", 0.01)
    async with connected(cookie) as socket:
        await User.objects.filter(pk=bob.pk).aupdate(is_active=False)
        closed = await socket.receive_output(5)
        assert (closed["type"], closed["code"]) == ("websocket.close", 4401)


@pytest.mark.parametrize(
    "frame",
    [
        "not json",
        "[]",
        '{"type": "watch"}',
        '{"type": "watch", "conversation": "x"}',
        '{"type": "nonsense"}',
        '{"type": "ping", "more": 1}',
        json.dumps({"type": "x" * 2000}),
        b"\x00\x01",
    ],
)
async def test_socket_closes_on_frames_it_does_not_know(cookie: str, frame: str | bytes) -> None:
    async with connected(cookie) as socket:
        await (socket.send(binary=frame) if isinstance(frame, bytes) else socket.send(frame))
        closed = await socket.receive_output(5)
        assert (closed["type"], closed["code"]) == ("websocket.close", 4400)
