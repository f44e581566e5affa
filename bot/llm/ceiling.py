"""No more streams of a provider at once than it allows."""

import threading
import time
from collections import Counter
from dataclasses import replace
from typing import Protocol
from uuid import uuid4

from bot.llm import patience
from bot.llm.base import Pieces, Provider, Request
from bot.llm.errors import Busy, Stopped
from bot.llm.patience import Pause

# How often a call that waits for a place asks for one.
ASK_EVERY = 0.1
# A place is given back by its call; that of a dead worker this long after the call's last moment.
GRACE = 5.0


class PlaceStore(Protocol):
    """Counts the streams of each provider."""

    def take(self, name: str, limit: int, place: str, seconds: float) -> bool:
        """Take a place for at most `seconds`, unless `limit` are taken."""
        ...

    def give_back(self, name: str, place: str) -> None: ...


class Ceiling:
    """A provider that is asked only while there is a place among its streams; see `Busy`."""

    def __init__(
        self, inner: Provider, name: str, limit: int, store: PlaceStore, pause: Pause = patience.pause
    ) -> None:
        self._inner = inner
        self._name = name
        self._limit = limit
        self._store = store
        self._pause = pause

    def stream(self, request: Request) -> Pieces:
        ends = time.monotonic() + request.deadlines.whole
        place = uuid4().hex
        self._take(place, request)
        try:
            left = replace(request.deadlines, whole=ends - time.monotonic())
            pieces = self._inner.stream(replace(request, deadlines=left))
            try:
                yield from pieces
            finally:
                pieces.close()
        finally:
            self._store.give_back(self._name, place)

    def _take(self, place: str, request: Request) -> None:
        deadlines = request.deadlines
        gives_up = time.monotonic() + min(deadlines.first_token, deadlines.whole)
        while not self._store.take(self._name, self._limit, place, deadlines.whole + GRACE):
            if time.monotonic() + ASK_EVERY > gives_up:
                raise Busy(f"{self._name} has no place for one more stream")
            self._pause(ASK_EVERY, request.cancelled)
            if request.is_cancelled:
                raise Stopped("Cancelled while it waited for a place")


class LocalPlaces:
    """The streams of this process alone."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, name: str, limit: int, place: str, seconds: float) -> bool:
        with self._lock:
            if self._taken[name] >= limit:
                return False
            self._taken[name] += 1
            return True

    def give_back(self, name: str, place: str) -> None:
        with self._lock:
            self._taken[name] -= 1
