"""A socket that is told what happens: what reaches it waits in line, bounded, and goes out one by one."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import structlog
from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError, InterfaceError
from redis.exceptions import RedisError

from accounts import identity
from bot import metrics
from bot.errors import place
from bot.outbox import Kept
from bot.web.feed import feed
from bot.web.telling import Telling
from bot.web.watch import Changed, watch

# A browser that takes nothing for so long, or lets so much pile up, does not read.
READ_SECONDS = 10
MOST_WAITING = 500
# For the close frame to reach it all the same.
LAST_SECONDS = 5
BAD_TOKEN, NOT_READING, BROKEN, COME_BACK = 4401, 4408, 1011, 1012

Errand: TypeAlias = Callable[[], Awaitable[None]]

log = structlog.get_logger(__name__)
_open: Counter[str] = Counter()


class Listener(AsyncWebsocketConsumer):
    """Subclasses say what to do with frames, and how a turn's event is told (`tell`, `again`)."""

    kind: str

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """As Channels does it, without its layer: one thing at a time, and a clean end in any case."""
        self.scope = scope
        self.base_send: Any = send
        self.name = uuid4().hex
        self.telling = Telling(self.tell, self.again)
        self.closing = self.listening = False
        self._errands: asyncio.Queue[Errand] = asyncio.Queue()
        self._groups: set[str] = set()
        self._busy = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        try:
            while True:
                await self.dispatch(await receive())
        except StopConsumer:
            return
        finally:
            self._end()

    async def dispatch(self, message: dict[str, Any]) -> None:
        async with self._busy:
            try:
                await getattr(self, get_handler_name(message))(message)
            except (DatabaseError, InterfaceError) as error:
                log.warning("socket lost its database", kind=self.kind, error=type(error).__name__)
                self.give_up(COME_BACK)
            except identity.BadToken as error:
                self._session_over(error)

    async def websocket_disconnect(self, message: Any) -> None:
        raise StopConsumer

    def ended(self) -> None:
        """The socket is gone, in whatever way."""

    async def tell(self, event: Kept) -> None:
        raise NotImplementedError

    async def again(self, turn: UUID, after: int, done: bool | None) -> list[Kept]:
        raise NotImplementedError

    async def happened(self, event: dict[str, Any], body: str) -> None:
        """Something was published that is not an event of a turn."""
        raise NotImplementedError

    def conversation_watched(self) -> UUID | None:
        raise NotImplementedError

    def interrupted(self, now: Changed | None) -> None:
        raise NotImplementedError

    def behind(self, turn: UUID, *, done: bool) -> None:
        self.send_on(lambda: self.telling.catch_up(turn, done=done))

    # What is heard

    def listen(self) -> None:
        """The socket is open: from now on what happens can be told."""
        self.listening = True
        _count(self.kind, 1)
        watch().add(self)
        self._tasks.append(asyncio.create_task(self._run_errands()))

    async def join(self, group: str) -> None:
        self._groups.add(group)
        await feed().join(group, self.hear)

    def leave(self, group: str) -> None:
        """Hear no more of it; what waits was of it, too."""
        self._groups.discard(group)
        feed().leave(group, self.hear)
        while not self._errands.empty():
            self._errands.get_nowait()

    def send_on(self, errand: Errand) -> None:
        """Have something done after all that waits; too much of it means that nobody reads."""
        if self.closing:
            return
        if self._errands.qsize() >= MOST_WAITING:
            self.give_up(NOT_READING)
        else:
            self._errands.put_nowait(errand)

    def hear(self, event: dict[str, Any], body: str) -> None:
        if "seq" in event:
            self.send_on(lambda: self.telling.take(event, body))
        else:
            self.send_on(lambda: self.happened(event, body))

    async def _run_errands(self) -> None:
        # `in_thread` may swallow that this task was cancelled.
        while not self.closing:
            errand = await self._errands.get()
            async with self._busy:
                try:
                    await errand()
                except (DatabaseError, InterfaceError, RedisError) as error:
                    log.warning("socket lost its data", kind=self.kind, error=type(error).__name__)
                    self.give_up(COME_BACK)
                except identity.BadToken as error:
                    self._session_over(error)
                except Exception as error:
                    log.error("socket broke", kind=self.kind, error=type(error).__name__, at=place(error))  # noqa: TRY400
                    self.give_up(BROKEN)

    def _session_over(self, error: identity.BadToken) -> None:
        """Whom it served is not known any more."""
        log.info("session over", kind=self.kind, reason=str(error))
        self.give_up(BAD_TOKEN)

    # What is sent

    async def put(self, text: str) -> None:
        """Send a frame; whoever does not take it in time is given up."""
        if self.closing:
            return
        try:
            async with asyncio.timeout(READ_SECONDS):
                await self.base_send({"type": "websocket.send", "text": text})
        except TimeoutError:
            self.give_up(NOT_READING)
        except (OSError, RuntimeError):
            # The server's way to say that the other side, or the server itself, has just closed it.
            self.closing = True

    def give_up(self, code: int) -> None:
        """Close the socket without waiting for the other side; nothing is sent after this."""
        if not self.closing:
            self.closing = True
            self._silence()
            self._tasks.append(asyncio.create_task(self._close(code)))

    async def _close(self, code: int) -> None:
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await self.base_send({"type": "websocket.close", "code": code})
        except TimeoutError:
            _abort(self.base_send)
        except (OSError, RuntimeError):
            return  # It is closed already.

    def _silence(self) -> None:
        """Hear nothing more."""
        for group in list(self._groups):
            self.leave(group)
        watch().discard(self)

    def _end(self) -> None:
        self.closing = True
        self._silence()
        if self.listening:
            _count(self.kind, -1)
        for task in self._tasks:
            task.cancel()
        self.ended()


def _count(kind: str, change: int) -> None:
    _open[kind] += change
    metrics.gauge("sockets", _open[kind], kind=kind)


def _abort(send: Any) -> None:
    """Cut the line of a peer that reads not even the close frame; ASGI has no word for it, uvicorn a way."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
