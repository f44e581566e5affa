"""Not asking a model that has just failed again and again."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from bot.llm.base import Pieces, Provider, Request
from bot.llm.errors import CircuitOpen, UpstreamError

Permit: TypeAlias = Literal["yes", "no", "probe"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Opens at this many failures that are this share of the calls within `window` seconds, for `pause`."""

    failures: int = 5
    share: float = 0.5
    window: float = 30
    pause: float = 10


class BreakerStore(Protocol):
    """Remembers how calls went, by provider and model."""

    def permit(self, key: str) -> Permit: ...

    def record(self, key: str, *, good: bool, probe: bool) -> None: ...


class Breaker:
    """A provider that is left alone while its breaker is open."""

    def __init__(self, inner: Provider, key: str, store: BreakerStore) -> None:
        self._inner = inner
        self._key = key
        self._store = store

    def stream(self, request: Request) -> Pieces:
        permit = self._store.permit(self._key)
        if permit == "no":
            raise CircuitOpen(f"{self._key} is resting after failures")
        pieces = self._inner.stream(request)
        good: bool | None = None  # a call closed before its first piece says nothing
        try:
            for piece in pieces:
                good = True
                yield piece
        except UpstreamError as error:
            good = not error.counts_against_provider
            raise
        finally:
            pieces.close()
            if good is not None:
                self._store.record(self._key, good=good, probe=permit == "probe")


@dataclass
class _Circuit:
    calls: deque[tuple[float, bool]] = field(default_factory=deque)
    open_until: float = 0
    probe_until: float = 0


class LocalBreakers:
    """The breakers as this process alone has seen them."""

    def __init__(self, thresholds: Thresholds | None = None, clock: Callable[[], float] = time.time) -> None:
        self._thresholds = thresholds or Thresholds()
        self._clock = clock
        self._circuits: defaultdict[str, _Circuit] = defaultdict(_Circuit)
        self._lock = threading.Lock()

    def permit(self, key: str) -> Permit:
        now = self._clock()
        with self._lock:
            circuit = self._circuits[key]
            if not circuit.open_until:
                return "yes"
            if now < max(circuit.open_until, circuit.probe_until):
                return "no"
            circuit.probe_until = now + self._thresholds.pause
            return "probe"

    def record(self, key: str, *, good: bool, probe: bool) -> None:
        now = self._clock()
        with self._lock:
            circuit = self._circuits[key]
            if not circuit.open_until:
                self._count(circuit, now, good)
            elif probe:
                self._circuits[key] = _Circuit(open_until=0 if good else now + self._thresholds.pause)

    def _count(self, circuit: _Circuit, now: float, good: bool) -> None:
        limits = self._thresholds
        circuit.calls.append((now, good))
        while circuit.calls[0][0] <= now - limits.window:
            circuit.calls.popleft()
        bad = sum(not went_well for _, went_well in circuit.calls)
        if bad >= limits.failures and bad >= limits.share * len(circuit.calls):
            circuit.open_until = now + limits.pause
            circuit.calls.clear()
