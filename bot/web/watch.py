"""Sees to it that every open socket catches up, whatever was lost between the database, Redis and it.

Every few seconds the turns that sockets of this process wait for are looked up, in one statement and one
pipeline for all: whoever lacks a final or stands still gets what it lacks. After the feed was interrupted
this is done at once, and whoever's conversation has changed meanwhile is told so.
"""

import asyncio
import weakref
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError
from django.db.models import Exists, OuterRef
from django.utils import timezone
from redis.exceptions import RedisError

from bot.models import Conversation, Message, ToolCall, Turn
from bot.outbox import outbox
from bot.web.feed import feed
from bot.web.telling import Telling
from bot.web.threads import cancelled, in_thread

LOOK_SECONDS = 3.0
# A final is on its way for so long before it counts as lost.
ON_ITS_WAY = timedelta(seconds=1)
# What was missed began a little before the connection was known to be broken.
MARGIN = timedelta(seconds=2)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Changed:
    """How a conversation stands, and whether something was said or asked in it lately."""

    customer: UUID
    handler: str
    agent: int | None
    closed: bool
    news: bool


class Watched(Protocol):
    """A socket, as far as the watch is concerned. Nothing here waits."""

    telling: Telling

    def conversation_watched(self) -> UUID | None: ...

    def behind(self, turn: UUID, *, done: bool) -> None:
        """It lacks events of this turn, or its final."""

    def interrupted(self, now: Changed | None) -> None:
        """It has heard nothing for a while; this is how its conversation stands, where it has one."""


class Watch:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._sockets: set[Watched] = set()
        self._last_numbers: dict[str, int] = {}
        self._missed_since: datetime | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, socket: Watched) -> None:
        self._sockets.add(socket)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            feed().revived.append(self._interrupted)

    def discard(self, socket: Watched) -> None:
        self._sockets.discard(socket)

    async def close(self) -> None:
        task, self._task = self._task, None
        self._sockets.clear()
        await cancelled([task] if task else [])

    def _interrupted(self, since: datetime) -> None:
        self._missed_since = min(since - MARGIN, self._missed_since or since)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self._look()
            except (DatabaseError, InterfaceError, RedisError) as error:
                log.warning("could not look after sockets", error=type(error).__name__)

    async def _look(self) -> None:
        since = self._missed_since
        waiting: defaultdict[str, list[tuple[Watched, int]]] = defaultdict(list)
        for socket in self._sockets:
            for turn, last in socket.telling.under_way().items():
                waiting[turn].append((socket, last))
        if waiting:
            await self._look_at(waiting, at_once=since is not None)
        if since is not None:
            await self._tell_changes(since)
            self._missed_since = None if self._missed_since == since else self._missed_since

    async def _look_at(self, waiting: dict[str, list[tuple[Watched, int]]], *, at_once: bool) -> None:
        ended = await in_thread(_ended, list(waiting), timedelta(0) if at_once else ON_ITS_WAY)
        for over in ended:
            for socket, _ in waiting.pop(str(over), []):
                socket.behind(over, done=True)
        turns = list(waiting)
        numbers = dict(zip(turns, await in_thread(outbox().log.last_numbers, turns), strict=True))
        # What was the last number at the last look has had time to arrive.
        expected = numbers if at_once else self._last_numbers
        for turn, sockets in waiting.items():
            for socket, last in sockets:
                if last < expected.get(turn, 0):
                    socket.behind(UUID(turn), done=False)
        self._last_numbers = numbers

    async def _tell_changes(self, since: datetime) -> None:
        watched = {socket: socket.conversation_watched() for socket in self._sockets}
        found = await in_thread(_changed, {one for one in watched.values() if one}, since)
        for socket, conversation in watched.items():
            if socket in self._sockets:
                socket.interrupted(found.get(conversation) if conversation else None)


def _ended(turns: Iterable[str], ago: timedelta) -> list[UUID]:
    done = Turn.objects.filter(id__in=turns, state=Turn.State.DONE, finished_at__lte=timezone.now() - ago)
    return list(done.values_list("id", flat=True))


def _changed(conversations: set[UUID], since: datetime) -> dict[UUID, Changed]:
    # A bot's message comes with the final of its turn.
    said = Message.objects.filter(conversation=OuterRef("pk"), created_at__gte=since).exclude(author="bot")
    asked = ToolCall.objects.filter(turn__conversation=OuterRef("pk"), expires_at__gte=since)
    rows = Conversation.objects.filter(id__in=conversations).annotate(said=Exists(said), asked=Exists(asked))
    values = rows.values_list("id", "customer_id", "handler", "agent_id", "closed_at", "said", "asked")
    return {
        row[0]: Changed(row[1], row[2], row[3], closed=row[4] is not None, news=row[5] or row[6])
        for row in values
    }


_watches: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = weakref.WeakKeyDictionary()


def watch() -> Watch:
    """The watch of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _watches:
        _watches[loop] = Watch()
    return _watches[loop]
