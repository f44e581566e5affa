"""The chat socket: authenticates, joins its conversation's group, forwards; the work is done elsewhere."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from accounts import identity
from accounts.models import Site
from bot import conversations, events
from bot.errors import Rejected, Unknown
from bot.models import group_of
from bot.web import frames, session
from bot.web.doors import header, own_origin, refuse
from bot.web.frames import BadFrame, Frame
from bot.web.session import Session
from bot.web.threads import in_thread

HELLO_SECONDS = 5
READ_SECONDS = 20
FRAMES = 100
FRAME_SECONDS = 10

NO_HELLO, BAD_TOKEN, NOT_READING, TOO_MANY = 4400, 4401, 4408, 4429

log = structlog.get_logger(__name__)


class ChatConsumer(AsyncWebsocketConsumer):
    session: Session | None = None

    async def connect(self) -> None:
        key = self.scope["url_route"]["kwargs"]["site"]
        self.recent: deque[float] = deque(maxlen=FRAMES)
        self.hello_timer: asyncio.TimerHandle | None = None
        site = await in_thread(_site, key)
        if site is None:
            await refuse(self, 404)
            return
        origin = header(self.scope, b"origin")
        if origin != own_origin() and origin not in site.origins:
            await refuse(self, 403)
            return
        self.site = site
        await self.accept()
        self.hello_timer = asyncio.get_running_loop().call_later(HELLO_SECONDS, self._no_hello)

    async def disconnect(self, code: int) -> None:
        if self.hello_timer:
            self.hello_timer.cancel()
        if self.session:
            await self.channel_layer.group_discard(group_of(self.session.conversation.id), self.channel_name)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Without Channels' hop into another thread for each message: `in_thread` looks after connections."""
        await getattr(self, get_handler_name(message))(message)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._too_many():
            await self.close(TOO_MANY)
            return
        try:
            frame = frames.parse(text_data or "")
        except BadFrame as error:
            if self.session is None:
                await self.close(NO_HELLO)
                return
            await self._error("bad_frame", error.reason, error.ref)
            return
        if self.session is None:
            await self._hello(frame)
        else:
            await self._handle(frame)

    async def _hello(self, frame: Frame) -> None:
        if not isinstance(frame, frames.Hello):
            await self.close(NO_HELLO)
            return
        if self.hello_timer:
            self.hello_timer.cancel()
        try:
            entered = await in_thread(session.enter, self.site, frame, self._address())
        except identity.BadToken as error:
            log.info("hello refused", site=self.site.key, reason=str(error))
            await self._error("bad_token", "The token is not valid here.", frame.ref)
            await self.close(BAD_TOKEN)
            return
        self.session = entered
        await self._join()
        await self._ok(frame)

    async def _handle(self, frame: Frame) -> None:
        try:
            await _HANDLERS[type(frame)](self, frame)
            if not isinstance(frame, frames.Post):
                await self._ok(frame)
        except Unknown:
            await self._error("unknown", "There is no such thing in this conversation.", frame.ref)
        except Rejected as error:
            await self._error(error.code, error.text(self._here.locale), frame.ref)

    @property
    def _here(self) -> Session:
        if self.session is None:
            raise StopConsumer
        return self.session

    async def _join(self) -> None:
        """Listen first, then read: nothing falls between."""
        await self.channel_layer.group_add(group_of(self._here.conversation.id), self.channel_name)
        ready = await in_thread(self._here.ready)
        await self._send(ready)

    # What a browser asks for

    async def on_hello(self, frame: frames.Hello) -> None:
        await self._error("bad_frame", "Already said hello: reconnect to say it again.", frame.ref)

    async def on_post(self, frame: frames.Post) -> None:
        here = self._here
        try:
            posted = await in_thread(here.post, frame, origin=self.channel_name)
        except Rejected as error:
            text = error.text(here.locale)
            await self._send(
                events.RejectedFrame(
                    id=str(frame.id),
                    code=error.code,  # type: ignore[arg-type]
                    text=text,
                    retry_at=error.retry_at,
                )
            )
            if error.code == "closed":
                # What told this socket so was lost on the way.
                await self._follow()
            return
        await self._send(events.Accepted(id=frame.id, turn=posted.turn))
        body = here.read(posted.message)
        await self._send(events.MessageFrame(message=body))
        await self._ok(frame)

    async def on_stop(self, frame: frames.Stop) -> None:
        await in_thread(conversations.stop, self._here.conversation.id, frame.turn)

    async def on_approve(self, frame: frames.Approve) -> None:
        await in_thread(
            conversations.approve, self._here.conversation.id, frame.call, approved=frame.approved
        )

    async def on_rate(self, frame: frames.Rate) -> None:
        here = self._here
        await in_thread(
            conversations.rate, here.conversation.id, frame.message, frame.score, frame.comment, key=here.key
        )

    async def on_human(self, frame: frames.Human) -> None:
        do = conversations.no_person_after_all if frame.cancel else conversations.ask_for_person
        await in_thread(do, self._here.conversation.id)

    async def on_resume(self, frame: frames.Resume) -> None:
        for body in await in_thread(self._here.replay, frame.turn, frame.after):
            await self._forward(body)

    async def on_history(self, frame: frames.LookBack) -> None:
        bodies, more = await in_thread(self._here.read_page, frame.before)
        await self._send(events.History(messages=bodies, more=more))

    async def on_new(self, frame: frames.New) -> None:
        await self._leave()
        await in_thread(self._here.start_over)
        await self._join()

    async def on_ping(self, frame: frames.Ping) -> None:
        await self._send(events.Pong())

    # What the others tell us

    async def turn_event(self, message: dict[str, Any]) -> None:
        await self._forward(message["body"])

    async def conversation_event(self, message: dict[str, Any]) -> None:
        event = json.loads(message["body"])
        match event["type"]:
            case "message":
                await self._show_message(event)
            case "closed":
                await self._follow()
            case "adopted" if event["customer"] != str(self._here.customer.id):
                await self._follow()
            case "status":
                await self._send_text(message["body"])
            case "approval_state":
                await self._send_text(message["body"])

    async def _show_message(self, event: dict[str, Any]) -> None:
        if event["origin"] == self.channel_name:
            return
        body = await in_thread(self._here.read_one, event["id"])
        if body:
            await self._send(events.MessageFrame(message=body))

    async def _follow(self) -> None:
        """The conversation was closed, or is somebody else's by now: go on in the next one."""
        await self._leave()
        await in_thread(self._here.follow)
        await self._join()

    async def _leave(self) -> None:
        await self.channel_layer.group_discard(group_of(self._here.conversation.id), self.channel_name)

    async def _forward(self, body: str) -> None:
        """A turn event with the customer's own values in place of the placeholders."""
        here = self._here
        if "<" in body:
            if not here.knows(body):
                await in_thread(here.learn)
            body = json.dumps(here.restored(json.loads(body)), ensure_ascii=False)
        await self._send_text(body)
        if '"final"' in body and here.mode_changes(json.loads(body)):
            await self._send(events.Mode(mode=here.mode))

    # How we answer

    async def _ok(self, frame: Frame) -> None:
        if frame.ref is not None:
            await self._send(events.Ok(ref=frame.ref))

    async def _error(self, code: str, text: str, ref: str | None) -> None:
        await self._send(events.ErrorFrame(code=code, text=text, ref=ref))

    async def _send(self, frame: events.Closed) -> None:
        await self._send_text(json.dumps(frame.as_dict(), ensure_ascii=False))

    async def _send_text(self, text: str) -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                await self.send(text_data=text)
        except TimeoutError:
            await self.close(NOT_READING)

    def _no_hello(self) -> None:
        task = asyncio.ensure_future(self.close(NO_HELLO))
        task.add_done_callback(lambda done: done.exception())

    def _too_many(self) -> bool:
        """More frames than a person and a widget can make."""
        now = time.monotonic()
        full = len(self.recent) == FRAMES and now - self.recent[0] < FRAME_SECONDS
        self.recent.append(now)
        return full

    def _address(self) -> str:
        peer = (self.scope.get("client") or ("",))[0]
        return identity.network_address(self.scope["headers"], peer, settings.TRUSTED_PROXIES)


_HANDLERS: dict[type[frames.Incoming], Callable[[ChatConsumer, Any], Awaitable[None]]] = {
    frames.Hello: ChatConsumer.on_hello,
    frames.Post: ChatConsumer.on_post,
    frames.Stop: ChatConsumer.on_stop,
    frames.Approve: ChatConsumer.on_approve,
    frames.Rate: ChatConsumer.on_rate,
    frames.Human: ChatConsumer.on_human,
    frames.Resume: ChatConsumer.on_resume,
    frames.LookBack: ChatConsumer.on_history,
    frames.New: ChatConsumer.on_new,
    frames.Ping: ChatConsumer.on_ping,
}


def _site(key: str) -> Site | None:
    return Site.objects.select_related("default_tier").filter(key=key).first()
