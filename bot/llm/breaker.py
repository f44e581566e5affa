"""Not asking a model that has just failed again and again."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from bot.llm.base import Pieces, Provider, Request
from bot.llm.errors import CircuitOpen, Effect, UpstreamError

Permit: TypeAlias = Literal["yes", "no", "probe"]
State: TypeAlias = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Opens at this many failures that are this share of the calls within `window` seconds, for `pause`.

    What no waiting mends, a refused key or an unknown model, opens it at once for `long_pause`.
    """

    failures: int = 5
    share: float = 0.5
    window: float = 30
    pause: float = 10
    long_pause: float = 60


class BreakerStore(Protocol):
    """Remembers how calls went, by provider and model."""

    def permit(self, key: str) -> Permit: ...

    def record(self, key: str, *, good: bool, probe: bool) -> None: ...

    def trip(self, key: str) -> None: ...


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
        effect: Effect = "nothing"  # a call closed before its first piece says nothing
        try:
            for piece in pieces:
                effect = "well"
                yield piece
        except UpstreamError as error:
            if error.breaker != "nothing":
                effect = error.breaker
            raise
        finally:
            pieces.close()
            self._tell(effect, probe=permit == "probe")

    def _tell(self, effect: Effect, *, probe: bool) -> None:
        if effect == "opens":
            self._store.trip(self._key)
        elif effect != "nothing":
            self._store.record(self._key, good=effect == "well", probe=probe)


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

    def trip(self, key: str) -> None:
        with self._lock:
            self._circuits[key] = _Circuit(open_until=self._clock() + self._thresholds.long_pause)

    def state(self, key: str) -> State:
        with self._lock:
            opened = self._circuits[key].open_until
        if not opened:
            return "closed"
        return "open" if self._clock() < opened else "half_open"

    def keys(self) -> list[str]:
        """Every `provider:model` that was asked by this process."""
        with self._lock:
            return sorted(self._circuits)

    def _count(self, circuit: _Circuit, now: float, good: bool) -> None:
        limits = self._thresholds
        circuit.calls.append((now, good))
        while circuit.calls[0][0] <= now - limits.window:
            circuit.calls.popleft()
        bad = sum(not went_well for _, went_well in circuit.calls)
        if bad >= limits.failures and bad >= limits.share * len(circuit.calls):
            circuit.open_until = now + limits.pause
            circuit.calls.clear()
