"""Looking after the turns that this process works on."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections

from bot import leases, words
from bot.events import TurnLog

RENEW_SECONDS = 5
# A customer who has seen nothing for so long is told that somebody is still at work.
SILENT_SECONDS = 7.5
# Every step has a deadline of its own; a turn that is so much later than its end hangs.
GRACE_SECONDS = 10

log = structlog.get_logger(__name__)


@dataclass
class Kept:
    """A turn this process works on; `ends_at` by time.monotonic()."""

    log: TurnLog
    locale: str
    ends_at: float


class Keeper:
    """Renews the leases of all turns this process works on, in one statement, and notices lost ones.

    A turn long past its end, because a tool hangs for example, is left to the rescue. Customers who have seen
    nothing for long are told that work goes on.
    """

    def __init__(self) -> None:
        self._kept: dict[UUID, Kept] = {}
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        threading.Thread(target=self._run, name="leases", daemon=True).start()

    @contextmanager
    def keep(self, turn: TurnLog, locale: str, seconds: float) -> Iterator[Kept]:
        mine = Kept(turn, locale, time.monotonic() + seconds)
        with self._changed:
            if turn.turn in self._kept:
                # An earlier attempt of this very process: it need not wait to be told.
                self._kept[turn.turn].log.fenced_event.set()
            self._kept[turn.turn] = mine
            self._changed.notify_all()
        try:
            yield mine
        finally:
            with self._changed:
                if self._kept.get(turn.turn) is mine:
                    del self._kept[turn.turn]
                self._changed.notify_all()

    @property
    def kept(self) -> list[TurnLog]:
        with self._lock:
            return [kept.log for kept in self._kept.values()]

    def wait_until_free(self, seconds: float) -> bool:
        """Wait until this process works on nothing; False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._kept, seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._kept))
            time.sleep(RENEW_SECONDS)
            with self._lock:
                kept = list(self._kept.values())
            now = time.monotonic()
            for late in kept:
                if now > late.ends_at + GRACE_SECONDS and not late.log.fenced:
                    log.warning("turn overdue", turn=str(late.log.turn))
                    late.log.fenced_event.set()
            if held := [one for one in kept if not one.log.fenced]:
                self._renew([one.log for one in held])
                for one in held:
                    _reassure(one)

    def _renew(self, kept: list[TurnLog]) -> None:
        try:
            held = leases.renew(kept)
        except (DatabaseError, InterfaceError) as error:
            # The next round tries again; a lease outlives two failed ones.
            log.warning("leases not renewed", error=type(error).__name__, count=len(kept))
        else:
            for turn in kept:
                if turn.turn not in held:
                    turn.fenced_event.set()
        finally:
            close_old_connections()


def _reassure(kept: Kept) -> None:
    if time.monotonic() - kept.log.said_at > SILENT_SECONDS:
        kept.log.working(words.say("working.still", kept.locale))


@cache
def keeper() -> Keeper:
    """This process's keeper, started with its first turn."""
    return Keeper()
