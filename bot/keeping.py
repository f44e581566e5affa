"""Looking after the turns that this process works on."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections

from bot import leases, words
from bot.events import TurnLog

RENEW_SECONDS = 5
# A customer who has seen nothing for so long is told that somebody is still at work.
SILENT_SECONDS = 7.5

log = structlog.get_logger(__name__)


class Keeper:
    """Looks after the turns this process works on: renews their leases, in one statement for all of them,
    notices that one was lost, and tells customers who have seen nothing for long that work goes on.
    """

    def __init__(self) -> None:
        self._kept: dict[UUID, tuple[TurnLog, str]] = {}
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        threading.Thread(target=self._run, name="leases", daemon=True).start()

    @contextmanager
    def keep(self, turn: TurnLog, locale: str) -> Iterator[None]:
        with self._changed:
            if turn.turn in self._kept:
                # An earlier attempt of this very process: it need not wait to be told.
                self._kept[turn.turn][0].fenced_event.set()
            self._kept[turn.turn] = (turn, locale)
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                if self._kept.get(turn.turn, (None,))[0] is turn:
                    del self._kept[turn.turn]
                self._changed.notify_all()

    @property
    def kept(self) -> list[TurnLog]:
        with self._lock:
            return [turn for turn, _ in self._kept.values()]

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
                kept = dict(self._kept)
            if kept:
                self._renew([turn for turn, _ in kept.values()])
                for turn, locale in kept.values():
                    _reassure(turn, locale)

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


def _reassure(turn: TurnLog, locale: str) -> None:
    if time.monotonic() - turn.said_at > SILENT_SECONDS:
        turn.working(words.say("working.still", locale))


@cache
def keeper() -> Keeper:
    """This process's keeper, started with its first turn."""
    return Keeper()
