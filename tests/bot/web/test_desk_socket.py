"""The desk's socket: for signed-in staff on our own pages; shows what happens, with placeholders."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from accounts.models import Customer, User
from bot import events
from bot.models import Conversation, Turn
from bot.outbox import outbox
from bot.web import desk_socket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def conversation(alice: Customer) -> Conversation:
    return Conversation.objects.create(site=alice.site, customer=alice)


@pytest.fixture
def cookie(bob: User) -> str:
    client = Client()
    client.force_login(bob)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def communicator(cookie: str, origin: str | None = settings.PUBLIC_URL) -> WebsocketCommunicator:
    headers = [(b"cookie", cookie.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    return WebsocketCommunicator(desk_socket.DeskSocket.as_asgi(), "/ws/desk/", headers=headers)


@asynccontextmanager
async def connected(cookie: str) -> AsyncIterator[WebsocketCommunicator]:
    socket = communicator(cookie)
    opened, _ = await socket.connect()
    assert opened
    yield socket
    await socket.disconnect()


async def receive(socket: WebsocketCommunicator, kind: str) -> dict[str, Any]:
    """The next frame of one type; others are passed over."""
    while True:
        frame: dict[str, Any] = await socket.receive_json_from(timeout=5)
        if frame["type"] == kind:
            return frame


async def watch(socket: WebsocketCommunicator, conversation: Conversation) -> dict[str, Any]:
    await socket.send_json_to({"type": "watch", "conversation": str(conversation.id)})
    return await receive(socket, "watching")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", None, f"{settings.PUBLIC_URL}.evil.example"]
)
async def test_socket_refuses_other_origins(cookie: str, origin: str | None) -> None:
    opened, _ = await communicator(cookie, origin).connect()
    assert not opened


@pytest.mark.parametrize("stale", ["", "frontdesk_session=made-up", "other=1"])
async def test_socket_refuses_who_is_not_signed_in(stale: str) -> None:
    opened, _ = await communicator(stale).connect()
    assert not opened


async def test_socket_refuses_who_has_left(cookie: str, bob: User) -> None:
    await User.objects.aupdate(is_active=False)
    opened, _ = await communicator(cookie).connect()
    assert not opened


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
        await socket.send_json_to({"type": "resume", "turn": str(turn.id), "after": 0})
        assert (await receive(socket, "delta"))["text"] == "Dear <PERSON_1>"
        log.text(", hello")
        assert (await receive(socket, "delta"))["seq"] == 2
        events.status(conversation.id, "queue")
        assert (await receive(socket, "status"))["handler"] == "queue"
        assert (await watch(socket, other))["turn"] is None
        log.text(" again")
        events.status(other.id, "queue")
        heard = [await socket.receive_json_from(timeout=5)]
        while heard[-1]["type"] != "status":
            heard.append(await socket.receive_json_from(timeout=5))
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
        await socket.send_json_to({"type": "resume", "turn": str(turn.id), "after": 0})
        await socket.send_json_to({"type": "ping"})
        assert (await receive(socket, "pong")) == {"type": "pong"}


async def test_socket_closes_when_the_session_ends(
    cookie: str, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_socket, "CHECK_SECONDS", 0.01)
    async with connected(cookie) as socket:
        await User.objects.filter(pk=bob.pk).aupdate(is_active=False)
        closed = await socket.receive_output(timeout=5)
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
        await (
            socket.send_to(bytes_data=frame) if isinstance(frame, bytes) else socket.send_to(text_data=frame)
        )
        closed = await socket.receive_output(timeout=5)
        assert (closed["type"], closed["code"]) == ("websocket.close", 4400)
