"""The chat socket: authenticates, joins its conversation's group, forwards; the work is done elsewhere."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError

from accounts import identity
from accounts.models import Site
from bot import conversations, events
from bot.errors import Rejected, Unknown
from bot.models import group_of
from bot.outbox import Kept
from bot.web import frames, rates, session
from bot.web.counts import Bucket
from bot.web.doors import Address, doorway, header, own_origin, refuse
from bot.web.frames import BadFrame, Frame
from bot.web.listener import Listener
from bot.web.session import Session
from bot.web.threads import in_thread
from bot.web.watch import Changed

HELLO_SECONDS = 5
NO_HELLO, BAD_TOKEN, TOO_MANY = 4400, 4401, 4429

log = structlog.get_logger(__name__)


class ChatConsumer(Listener):
    kind = "chat"
    session: Session | None = None

    async def connect(self) -> None:
        self.speech, self.looks_back = Bucket(rates.FRAMES), Bucket(rates.LOOKS_BACK)
        self.hello_timer: asyncio.TimerHandle | None = None
        self.address: Address | None = None
        try:
            site = await in_thread(_site, self.scope["url_route"]["kwargs"]["site"])
        except (DatabaseError, InterfaceError) as error:
            log.warning("socket refused", error=type(error).__name__)
            await refuse(self, 503)
            return
        if site is None:
            await refuse(self, 404)
            return
        origin = header(self.scope, b"origin")
        if origin != own_origin() and origin not in site.origins:
            await refuse(self, 403)
            return
        self.site = site
        await self.accept()
        self.listen()
        self.address = Address.of(self.scope)
        if not doorway().enter(self.address):
            self.give_up(TOO_MANY)
            return
        self.hello_timer = asyncio.get_running_loop().call_later(HELLO_SECONDS, self.give_up, NO_HELLO)

    def ended(self) -> None:
        if self.hello_timer:
            self.hello_timer.cancel()
        if self.address:
            doorway().leave(self.address)
        self.session = None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.closing:
            return
        if not self.speech.take():
            self.give_up(TOO_MANY)
            return
        try:
            frame = frames.parse(text_data or "")
        except BadFrame as error:
            if self.session is None:
                self.give_up(NO_HELLO)
                return
            await self._error("bad_frame", error.reason, error.ref)
            return
        if self.session is None:
            await self._hello(frame)
        else:
            await self._handle(frame)

    async def _hello(self, frame: Frame) -> None:
        if not isinstance(frame, frames.Hello):
            self.give_up(NO_HELLO)
            return
        if self.hello_timer:
            self.hello_timer.cancel()
        try:
            entered = await in_thread(self._enter, frame)
        except identity.BadToken as error:
            log.info("hello refused", site=self.site.key, reason=str(error))
            await self._error("bad_token", "The token is not valid here.", frame.ref)
            self.give_up(BAD_TOKEN)
            return
        except Rejected as error:
            await self._error(error.code, error.text(session.locale_of(frame.locale)), frame.ref)
            self.give_up(TOO_MANY)
            return
        self.session = entered
        await self._join()
        await self._ok(frame)

    def _enter(self, frame: frames.Hello) -> Session:
        address = self.address or Address.of(self.scope)
        rates.check_hello(address, new=not (frame.token or frame.identity))
        entered = session.enter(self.site, frame, address.digest)
        entered.address = address
        return entered

    async def _handle(self, frame: Frame) -> None:
        try:
            self._check_pace(frame)
            await _HANDLERS[type(frame)](self, frame)
            if not isinstance(frame, frames.Post):
                await self._ok(frame)
        except Unknown:
            await self._error("unknown", "There is no such thing in this conversation.", frame.ref)
        except Rejected as error:
            await self._error(error.code, error.text(self._here.locale), frame.ref)

    def _check_pace(self, frame: Frame) -> None:
        """Raises Rejected for what reads much when it is asked too often."""
        if isinstance(frame, frames.Resume | frames.LookBack) and not self.looks_back.take():
            raise Rejected("rate_limited")

    @property
    def _here(self) -> Session:
        if self.session is None:
            raise RuntimeError("nobody has said hello")
        return self.session

    async def _join(self) -> None:
        """Listen first, then read: nothing falls between."""
        await self.join(group_of(self._here.conversation.id))
        await self._show_ready()

    async def _show_ready(self) -> None:
        ready = await in_thread(self._here.ready)
        if ready.turn:
            self.telling.expect(ready.turn.id, unasked=True)
        await self._send(ready)

    # What a browser asks for

    async def on_hello(self, frame: frames.Hello) -> None:
        await self._error("bad_frame", "Already said hello: reconnect to say it again.", frame.ref)

    async def on_post(self, frame: frames.Post) -> None:
        here = self._here
        try:
            posted = await in_thread(here.post, frame, origin=self.name)
        except Rejected as error:
            await self._send(
                events.RejectedFrame(
                    id=str(frame.id),
                    code=error.code,  # type: ignore[arg-type]
                    text=error.text(here.locale),
                    retry_at=error.retry_at,
                )
            )
            if error.code == "closed":
                # What told this socket so was lost on the way.
                await self._follow()
            return
        await self._send(events.Accepted(id=frame.id, turn=posted.turn))
        if posted.turn:
            self.telling.expect(posted.turn)
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
        told = await self.telling.resume(frame.turn, frame.after)
        self.speech.take(told // rates.EVENTS_A_FRAME)

    async def on_history(self, frame: frames.LookBack) -> None:
        bodies, more = await in_thread(self._here.read_page, frame.before)
        await self._send(events.History(messages=bodies, more=more))

    async def on_contact(self, frame: frames.Contact) -> None:
        await in_thread(self._here.leave_contact, frame)

    async def on_new(self, frame: frames.New) -> None:
        await in_thread(rates.check_new, self._here.customer)
        self._leave()
        await in_thread(self._here.start_over)
        await self._join()

    async def on_ping(self, frame: frames.Ping) -> None:
        await self._send(events.Pong())

    # What the others tell us

    async def happened(self, event: dict[str, Any], body: str) -> None:
        match event["type"]:
            case "message":
                await self._show_message(event)
            case "scrubbed" if event["reworded"]:
                await self._show_again(event)
            case "allowance":
                await self._show_ready()
            case "closed":
                await self._follow()
            case "adopted" if event["customer"] != str(self._here.customer.id):
                await self._follow()
            case "status":
                self._here.conversation.handler = event["handler"]
                await self.put(body)
            case "approval_state":
                await self.put(body)

    async def _show_message(self, event: dict[str, Any]) -> None:
        if event.get("origin") == self.name:
            return
        body, turn = await in_thread(self._here.read_one, event["id"])
        if turn:
            self.telling.expect(turn)
        if body:
            await self._send(events.MessageFrame(message=body))

    async def _show_again(self, event: dict[str, Any]) -> None:
        """In all tabs, the sender's too: something was dropped from it."""
        body, _ = await in_thread(self._here.read_one, event["id"])
        if body:
            await self._send(events.MessageFrame(message=body))

    def conversation_watched(self) -> UUID | None:
        return self.session.conversation.id if self.session else None

    def interrupted(self, now: Changed | None) -> None:
        if now is None:
            return
        here = self._here
        if now.closed or now.customer != here.customer.id:
            self.send_on(self._follow)
        elif now.news or now.handler != here.conversation.handler:
            self.send_on(self._show_ready)

    async def _follow(self) -> None:
        """The conversation was closed, or is somebody else's by now: go on in the next one."""
        self._leave()
        await in_thread(self._here.follow)
        await self._join()

    def _leave(self) -> None:
        self.leave(group_of(self._here.conversation.id))
        self.telling.forget()

    async def again(self, turn: UUID, after: int, done: bool | None) -> list[Kept]:
        return await in_thread(self._here.again, turn, after, done)

    async def tell(self, event: Kept) -> None:
        """A turn event with the customer's own values in place of the placeholders."""
        here = self._here
        body = event.body
        if "<" in body:
            if not here.knows(body):
                await in_thread(here.learn)
            body = json.dumps(here.restored(event.event), ensure_ascii=False)
        await self.put(body)
        if event.is_final and here.mode_changes(event.event):
            await self._send(events.Mode(mode=here.mode))

    # How we answer

    async def _ok(self, frame: Frame) -> None:
        if frame.ref is not None:
            await self._send(events.Ok(ref=frame.ref))

    async def _error(self, code: str, text: str, ref: str | None) -> None:
        await self._send(events.ErrorFrame(code=code, text=text, ref=ref))

    async def _send(self, frame: events.Closed) -> None:
        await self.put(json.dumps(frame.as_dict(), ensure_ascii=False))


_HANDLERS: dict[type[frames.Incoming], Callable[[ChatConsumer, Any], Awaitable[None]]] = {
    frames.Hello: ChatConsumer.on_hello,
    frames.Post: ChatConsumer.on_post,
    frames.Stop: ChatConsumer.on_stop,
    frames.Approve: ChatConsumer.on_approve,
    frames.Rate: ChatConsumer.on_rate,
    frames.Human: ChatConsumer.on_human,
    frames.Resume: ChatConsumer.on_resume,
    frames.LookBack: ChatConsumer.on_history,
    frames.Contact: ChatConsumer.on_contact,
    frames.New: ChatConsumer.on_new,
    frames.Ping: ChatConsumer.on_ping,
}


def _site(key: str) -> Site | None:
    return Site.objects.select_related("default_tier").filter(key=key).first()
