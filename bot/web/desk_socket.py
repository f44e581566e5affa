"""The desk's socket: tells a signed-in agent what changed, and shows one conversation as it happens."""

import asyncio
import contextlib
import json
from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any, Literal
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot import events
from bot.desk import transcript
from bot.models import Conversation, Turn, group_of
from bot.outbox import Kept
from bot.web.doors import header, own_origin, refuse
from bot.web.frames import MOST_EVENTS
from bot.web.listener import Listener
from bot.web.threads import in_thread
from bot.web.watch import Changed

FRAME_BYTES = 1024
CHECK_SECONDS = 30.0
GATHER_SECONDS = 0.25
BAD_FRAME, SIGNED_OUT = 4400, 4401

log = structlog.get_logger(__name__)


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


class DeskSocket(Listener):
    """Same origin and a staff session, or 403. Forwards events as they are: with placeholders."""

    kind = "desk"

    async def connect(self) -> None:
        self.watched: UUID | None = None
        self.changed: set[str] = set()
        self.chores: list[asyncio.Task[None]] = []
        self.session = _session_key(self.scope)
        ours = header(self.scope, b"origin") == own_origin()
        try:
            if not ours or not await in_thread(is_signed_in, self.session):
                await refuse(self, 403)
                return
        except (DatabaseError, InterfaceError) as error:
            log.warning("desk socket refused", error=type(error).__name__)
            await refuse(self, 503)
            return
        await self.join(events.DESK)
        await self.accept()
        self.listen()
        self.chores = [asyncio.create_task(self._gather()), asyncio.create_task(self._check())]

    def ended(self) -> None:
        for task in self.chores:
            task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data is None or len(text_data) > FRAME_BYTES:
            self.give_up(BAD_FRAME)
            return
        try:
            frame = FRAMES.validate_json(text_data)
        except ValidationError:
            self.give_up(BAD_FRAME)
            return
        await self._answer(frame)

    async def happened(self, event: dict[str, Any], body: str) -> None:
        if event["type"] != "desk_changed":
            await self.put(body)

    def hear(self, event: dict[str, Any], body: str) -> None:
        """What changed is gathered at once: of that there may be more than a socket could take."""
        if event["type"] == "desk_changed":
            self.changed.add(event["conversation"])
        else:
            super().hear(event, body)

    def conversation_watched(self) -> UUID | None:
        return self.watched

    def interrupted(self, now: Changed | None) -> None:
        """Anything may have changed meanwhile: the page looks at all of it again."""
        self.changed.add(str(self.watched or ""))
        self.send_on(self._show_watched)

    async def _answer(self, frame: Watch | Unwatch | Resume | Ping) -> None:
        match frame:
            case Watch(conversation=conversation):
                await self._watch(conversation)
            case Unwatch():
                self._leave()
            case Resume(turn=turn, after=after):
                await self._resume(turn, after)
            case Ping():
                await self.put(json.dumps({"type": "pong"}))

    async def _watch(self, conversation: UUID) -> None:
        self._leave()
        if not await in_thread(_exists, conversation):
            await self.put(json.dumps({"type": "unknown", "conversation": str(conversation)}))
            return
        self.watched = conversation
        await self.join(group_of(conversation))
        await self._show_watched()

    async def _show_watched(self) -> None:
        """From here on come the events of the conversation watched now."""
        if self.watched is None:
            return
        running = await in_thread(transcript.running_turn, self.watched)
        if running:
            self.telling.expect(running, unasked=True)
        shown = {"conversation": str(self.watched), "turn": str(running) if running else None}
        await self.put(json.dumps({"type": "watching", **shown}))

    def _leave(self) -> None:
        if self.watched is not None:
            self.leave(group_of(self.watched))
            self.telling.forget()
            self.watched = None

    async def _resume(self, turn: UUID, after: int) -> None:
        if self.watched is not None and await in_thread(transcript.has_turn, self.watched, turn):
            await self.telling.resume(turn, after)

    async def tell(self, event: Kept) -> None:
        await self.put(event.body)

    async def again(self, turn: UUID, after: int, done: bool | None) -> list[Kept]:
        return await in_thread(_again, turn, after, done)

    async def _gather(self) -> None:
        """Say what changed at most four times a second, however much did."""
        while not self.closing:
            await asyncio.sleep(GATHER_SECONDS)
            if self.changed:
                changed, self.changed = self.changed, set()
                await self.put(json.dumps({"type": "changed", "conversations": sorted(changed)}))

    async def _check(self) -> None:
        """Close the socket when its session has ended; who cannot be asked is asked again."""
        while not self.closing:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                if not await in_thread(is_signed_in, self.session):
                    self.give_up(SIGNED_OUT)
                    return
            except (DatabaseError, InterfaceError) as error:
                log.warning("desk session not checked", error=type(error).__name__)


def _again(turn_id: UUID, after: int, done: bool | None) -> list[Kept]:
    turn = Turn.objects.get(id=turn_id) if done is not False else None
    if turn is None or turn.state != Turn.State.DONE:
        return events.told_again(turn_id, after)
    # Staff are not told what a customer may still use.
    nothing = events.AllowanceBody(limits=[], exhausted=False)
    return events.told_again(turn_id, after, lambda: events.stored_final(turn, nothing))


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
