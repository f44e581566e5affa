"""The desk's socket: tells a signed-in agent what changed, and shows one conversation as it happens."""

import asyncio
import contextlib
import json
from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any, Literal
from uuid import UUID

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot import events
from bot.desk import transcript
from bot.models import Conversation, group_of
from bot.web.doors import header, own_origin, refuse
from bot.web.frames import MOST_EVENTS
from bot.web.threads import in_thread

FRAME_BYTES = 1024
CHECK_SECONDS = 30.0
GATHER_SECONDS = 0.25
BAD_FRAME, SIGNED_OUT = 4400, 4401


class Frame(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Watch(Frame):
    """Show this conversation as it happens, instead of the one before."""

    type: Literal["watch"]
    conversation: UUID


class Unwatch(Frame):
    type: Literal["unwatch"]


class Resume(Frame):
    """Repeat what a turn of the watched conversation has said after event number `after`."""

    type: Literal["resume"]
    turn: UUID
    after: int = Field(ge=0, le=MOST_EVENTS)


class Ping(Frame):
    type: Literal["ping"]


FRAMES: TypeAdapter[Watch | Unwatch | Resume | Ping] = TypeAdapter(
    Annotated[Watch | Unwatch | Resume | Ping, Field(discriminator="type")]
)


class DeskSocket(AsyncWebsocketConsumer):
    """Same origin and a staff session, or 403. Forwards events as they are: with placeholders."""

    async def connect(self) -> None:
        self.watched: UUID | None = None
        self.changed: set[str] = set()
        self.tasks: list[asyncio.Task[None]] = []
        self.session = _session_key(self.scope)
        ours = header(self.scope, b"origin") == own_origin()
        if not ours or not await in_thread(is_signed_in, self.session):
            await refuse(self, 403)
            return
        await self.channel_layer.group_add(events.DESK, self.channel_name)
        await self.accept()
        self.tasks = [asyncio.create_task(self._gather()), asyncio.create_task(self._check())]

    async def disconnect(self, code: int) -> None:
        for task in self.tasks:
            task.cancel()
        await self.channel_layer.group_discard(events.DESK, self.channel_name)
        await self._leave()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None or len(text_data) > FRAME_BYTES:
            await self.close(BAD_FRAME)
            return
        try:
            frame = FRAMES.validate_json(text_data)
        except ValidationError:
            await self.close(BAD_FRAME)
            return
        await self._answer(frame)

    async def turn_event(self, message: dict[str, Any]) -> None:
        await self.send(message["body"])

    async def conversation_event(self, message: dict[str, Any]) -> None:
        await self.send(message["body"])

    async def desk_changed(self, message: dict[str, Any]) -> None:
        self.changed.add(message["conversation"])

    async def desk_watching(self, message: dict[str, Any]) -> None:
        """What was queued of the conversation before is sent by now: the new one begins here."""
        if str(self.watched) == message["conversation"]:
            await self.send(json.dumps({**message, "type": "watching"}))

    async def _answer(self, frame: Watch | Unwatch | Resume | Ping) -> None:
        match frame:
            case Watch(conversation=conversation):
                await self._watch(conversation)
            case Unwatch():
                await self._leave()
            case Resume(turn=turn, after=after):
                await self._resume(turn, after)
            case Ping():
                await self.send(json.dumps({"type": "pong"}))

    async def _watch(self, conversation: UUID) -> None:
        await self._leave()
        if not await in_thread(_exists, conversation):
            await self.send(json.dumps({"type": "unknown", "conversation": str(conversation)}))
            return
        self.watched = conversation
        await self.channel_layer.group_add(group_of(conversation), self.channel_name)
        running = await in_thread(transcript.running_turn, conversation)
        # By way of the layer, so that it comes after whatever is still queued for this socket.
        await self.channel_layer.send(
            self.channel_name,
            {
                "type": "desk_watching",
                "conversation": str(conversation),
                "turn": str(running) if running else None,
            },
        )

    async def _leave(self) -> None:
        if self.watched is not None:
            await self.channel_layer.group_discard(group_of(self.watched), self.channel_name)
            self.watched = None

    async def _resume(self, turn: UUID, after: int) -> None:
        if self.watched is None:
            return
        if await in_thread(transcript.has_turn, self.watched, turn):
            for body in await in_thread(events.replay, turn, after):
                await self.send(body)

    async def _gather(self) -> None:
        """Say what changed at most four times a second, however much did."""
        while True:
            await asyncio.sleep(GATHER_SECONDS)
            if self.changed:
                changed, self.changed = self.changed, set()
                await self.send(json.dumps({"type": "changed", "conversations": sorted(changed)}))

    async def _check(self) -> None:
        """Close the socket when its session has ended."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if not await in_thread(is_signed_in, self.session):
                await self.close(SIGNED_OUT)
                return


def is_signed_in(session_key: str) -> bool:
    """Whether the session is that of an active member of staff."""
    request = HttpRequest()
    request.session = SessionStore(session_key)
    return auth.get_user(request).is_authenticated


def _exists(conversation: UUID) -> bool:
    return Conversation.objects.filter(id=conversation).exists()


def _session_key(scope: Any) -> str:
    cookies: SimpleCookie = SimpleCookie()
    with contextlib.suppress(CookieError):
        cookies.load(header(scope, b"cookie"))
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel else ""
