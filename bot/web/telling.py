"""The turns one socket is told of: each event once and in order, whatever was lost on its way here."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from bot import metrics
from bot.outbox import Kept

# Turns that are over are remembered, so that a late copy of their final is not sent again.
MOST_REMEMBERED = 50
# Redis could not be read: it is not asked again for every event.
PAUSE_SECONDS = 1.0

# Sends one event to the browser.
Tell: TypeAlias = Callable[[Kept], Awaitable[None]]
# The events of a turn after a number. `done`: whether it is over; None when nobody has looked.
Again: TypeAlias = Callable[[UUID, int, bool | None], Awaitable[list[Kept]]]

log = structlog.get_logger(__name__)


@dataclass
class _Turn:
    last: int = 0
    # The browser has been told that it runs, and will ask for its events.
    unasked: bool = False
    over: bool = False
    not_before: float = 0.0


class Telling:
    def __init__(self, tell: Tell, again: Again) -> None:
        self._tell = tell
        self._again = again
        self._turns: dict[str, _Turn] = {}

    def under_way(self) -> dict[str, int]:
        """Turns whose final is still to be told, with the number of the event told last."""
        return {turn: told.last for turn, told in self._turns.items() if not told.over}

    def expect(self, turn: UUID, *, unasked: bool = False) -> None:
        """Know of a turn under way, also when none of its events arrives."""
        told = self._turns.setdefault(str(turn), _Turn())
        told.unasked = unasked

    def forget(self) -> None:
        self._turns.clear()

    async def take(self, event: dict[str, Any], body: str) -> None:
        """An event as it was published."""
        turn = event["turn"]
        told = self._turns.get(turn) or self._remember(turn)
        if told.over or event["seq"] <= told.last:
            return
        joins = event["seq"] == told.last + 1 or event["type"] == "reset"
        if joins or told.unasked:
            await self._send(told, [Kept.read_already(event, body)])
        else:
            await self.catch_up(UUID(turn), done=False)

    async def resume(self, turn: UUID, after: int) -> int:
        """What a browser asks for, though it may have been told before; how many events it was."""
        try:
            events = await self._again(turn, after, None)
        except RedisError as error:
            # The watch will see that it lacks something, once Redis is back.
            log.warning("cannot resume", turn=str(turn), error=type(error).__name__)
            events = []
        told = self._turns.get(str(turn)) or self._remember(str(turn))
        told.last, told.unasked, told.over = after, False, False
        await self._send(told, events)
        metrics.count("replays", origin="browser")
        return len(events)

    async def catch_up(self, turn: UUID, *, done: bool) -> None:
        """Tell what was missed on the way from Redis to here, or what Redis never got."""
        told = self._turns.get(str(turn))
        now = time.monotonic()
        if told is None or told.over or now < told.not_before or (told.unasked and not done):
            return
        try:
            events = await self._again(turn, told.last, done)
        except RedisError as error:
            log.warning("cannot catch up", turn=str(turn), error=type(error).__name__)
            told.not_before = now + PAUSE_SECONDS
            return
        if events:
            metrics.count("replays", origin="server")
            await self._send(told, events)

    async def _send(self, told: _Turn, events: list[Kept]) -> None:
        for one in events:
            # Who has not asked yet lacks what came before: nothing counts as told.
            told.last = told.last if told.unasked else one.seq
            told.over = told.over or one.is_final
            await self._tell(one)

    def _remember(self, turn: str) -> _Turn:
        if len(self._turns) >= MOST_REMEMBERED:
            oldest = next((key for key, told in self._turns.items() if told.over), next(iter(self._turns)))
            del self._turns[oldest]
        return self._turns.setdefault(turn, _Turn())
