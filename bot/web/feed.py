"""What is published in Redis, brought to the sockets of this process over one connection.

The connection is ours to watch: when it breaks it is made again, everything is subscribed again, and whoever
asked for it is told since when something may have been missed.
"""

import asyncio
import json
import math
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import structlog
from django.conf import settings
from django.utils import timezone
from redis.asyncio import Connection, ConnectionPool
from redis.exceptions import RedisError

from bot.outbox import wire_group
from bot.web.threads import cancelled

# Redis that says nothing is asked, and given up when it stays silent.
ASK_SECONDS, SILENT_SECONDS = 2.0, 5.0
CONNECT_SECONDS = 3.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.5
# A socket waits so long to be subscribed; without Redis it goes on, and catches up later.
JOIN_SECONDS = 1.0
AT_ONCE = 500

# Called with every message of a group: the JSON object, and its text.
Hear: TypeAlias = Callable[[dict[str, Any], str], None]
# Called when the connection is back, with the time since when messages may have been missed.
Revived: TypeAlias = Callable[[datetime], None]

log = structlog.get_logger(__name__)


class Feed:
    """Belongs to one event loop; its connection is opened by the first who joins."""

    def __init__(self, url: str) -> None:
        # Protocol 2: messages come as plain lists, in the order Redis sent them.
        self._pool = ConnectionPool.from_url(
            url, protocol=2, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=CONNECT_SECONDS
        )
        self._hearers: dict[str, set[Hear]] = {}
        self._asked: set[str] = set()
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._link: Connection | None = None
        self._writing = asyncio.Lock()
        self._heard = time.monotonic()
        self._patience: asyncio.Timeout | None = None
        self._missed_since: datetime | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.revived: list[Revived] = []

    async def join(self, group: str, hear: Hear) -> None:
        """Hear what is published from now on; without Redis, once it is back."""
        name = wire_group(group)
        self._hearers.setdefault(name, set()).add(hear)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._look_after())]
        if name in self._asked and name not in self._waiting:
            return
        confirmed = self._waiting.setdefault(name, asyncio.get_running_loop().create_future())
        await self._subscribe()
        with suppress(TimeoutError):
            async with asyncio.timeout(JOIN_SECONDS):
                await asyncio.shield(confirmed)

    def leave(self, group: str, hear: Hear) -> None:
        """Hear no more; Redis is told a little later, for whoever reloads a page comes back at once."""
        if hearers := self._hearers.get(wire_group(group)):
            hearers.discard(hear)

    async def close(self) -> None:
        """Part with Redis and forget everybody; used again, it begins anew."""
        tasks, self._tasks = self._tasks, []
        await cancelled(tasks)
        self._hearers.clear()
        self._waiting.clear()
        self.revived.clear()

    async def _run(self) -> None:
        """Connect, subscribe everybody, pass on what comes; and again, for ever."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._connect()
                pause = FIRST_PAUSE
                await self._listen()
            except (RedisError, OSError) as error:
                if self._missed_since is None:
                    silent = time.monotonic() - self._heard
                    self._missed_since = timezone.now() - timedelta(seconds=silent)
                    log.warning("events interrupted", error=type(error).__name__)
            finally:
                await self._disconnect()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _connect(self) -> None:
        link: Connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await link.connect()  # type: ignore[no-untyped-call]
        except BaseException:
            await link.disconnect(nowait=True)
            raise
        self._link = link
        await self._subscribe()
        # Its answer comes after those to all subscriptions.
        await self._command("PING")

    async def _disconnect(self) -> None:
        link, self._link = self._link, None
        self._asked.clear()
        if link is not None:
            await link.disconnect(nowait=True)

    async def _listen(self) -> None:
        self._heard = time.monotonic()
        async with asyncio.timeout(SILENT_SECONDS) as self._patience:
            while link := self._link:
                answer = await link.read_response(timeout=math.inf)
                self._heard = time.monotonic()
                if isinstance(answer, list) and answer[0] == b"message":
                    self._pass_on(answer[1].decode(), answer[2].decode())
                elif isinstance(answer, list) and answer[0] == b"subscribe":
                    if confirmed := self._waiting.pop(answer[1].decode(), None):
                        confirmed.set_result(None)
                else:
                    self._revive()

    def _pass_on(self, name: str, text: str) -> None:
        if hearers := self._hearers.get(name):
            event = json.loads(text)
            for hear in list(hearers):
                hear(event, text)

    def _revive(self) -> None:
        since, self._missed_since = self._missed_since, None
        if since is not None:
            log.info("events are back", missed_since=since.isoformat())
            for tell in list(self.revived):
                tell(since)

    async def _subscribe(self) -> None:
        """Ask for every group somebody wants and Redis was not asked for."""
        async with self._writing:
            names = self._waiting if self._asked else self._hearers
            wanted = [name for name in names if name not in self._asked and self._hearers.get(name)]
            if self._link:
                self._asked.update(wanted)
                await self._command("SUBSCRIBE", wanted)

    async def _look_after(self) -> None:
        """See that Redis still speaks, and tell it which groups nobody wants any more."""
        while True:
            await asyncio.sleep(ASK_SECONDS)
            async with self._writing:
                idle = [name for name, hearers in self._hearers.items() if not hearers]
                for name in idle:
                    del self._hearers[name]
                    self._waiting.pop(name, None)
                unwanted = [name for name in idle if name in self._asked]
                self._asked.difference_update(unwanted)
                await self._command("UNSUBSCRIBE", unwanted)
            silent = time.monotonic() - self._heard
            if silent > ASK_SECONDS / 2:
                await self._command("PING")
            with suppress(RuntimeError):  # Nobody listens at this moment.
                if self._patience:
                    self._patience.reschedule(asyncio.get_running_loop().time() + SILENT_SECONDS - silent)

    async def _command(self, command: str, names: list[str] | None = None) -> None:
        link = self._link
        if link is None or names == []:
            return
        try:
            for start in range(0, len(names or [""]), AT_ONCE):
                words = names[start : start + AT_ONCE] if names else []
                await link.send_command(command, *words, check_health=False)
        except (RedisError, OSError):
            # Whoever reads notices, and makes a new connection.
            await link.disconnect(nowait=True)


_feeds: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Feed] = weakref.WeakKeyDictionary()


def feed() -> Feed:
    """The feed of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _feeds:
        _feeds[loop] = Feed(settings.REDIS_URL)
    return _feeds[loop]
