"""Several detecting processes behind the interface of one, where one is too slow for a worker's turns."""

import time
from collections.abc import Sequence

from .engine import CALL_LIMIT, DETECTOR, START_LIMIT, Engine
from .errors import ScrubberDown
from .placeholders import Span
from .rules import Rules


class Engines:
    """Each call goes to the process with the fewest calls under way, of those that run."""

    def __init__(self, count: int, detector: str = DETECTOR, call_limit: float = CALL_LIMIT) -> None:
        self._engines = [Engine(detector, call_limit) for _ in range(count)]

    def start(self) -> None:
        for engine in self._engines:
            engine.start()

    def wait_ready(self, timeout: float = START_LIMIT) -> bool:
        """Wait for all of them; tell whether any is there."""
        ends = time.monotonic() + timeout
        there = [engine.wait_ready(max(0, ends - time.monotonic())) for engine in self._engines]
        return any(there)

    def stop(self) -> None:
        for engine in self._engines:
            engine.stop()

    def detect(self, texts: Sequence[str], language: str, rules: Rules) -> list[list[Span]]:
        """As an engine does; a text on which a process fails is not tried on the next one."""
        ready = [engine for engine in self._engines if engine.ready]
        if not ready:
            raise ScrubberDown("no detecting process is ready")
        return min(ready, key=lambda engine: engine.waiting).detect(texts, language, rules)
