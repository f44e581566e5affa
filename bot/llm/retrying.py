"""The one layer that asks the same target again."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import tenacity

from bot.llm import patience
from bot.llm.base import Pieces, Provider, Request, Restart, Text, ToolRequest
from bot.llm.errors import UpstreamError
from bot.llm.patience import Pause

ATTEMPTS = 3
# A provider that asks for more patience than this is left for the next one.
LONGEST_WAIT = 3.0
# Full jitter: anything up to 0.4 s before the second attempt, up to 0.8 s before the third.
_backoff = tenacity.wait_random_exponential(multiplier=0.4, max=LONGEST_WAIT)


class RetryBudget:
    """What retries a process may make: a share of its calls, so that trouble is not answered threefold.

    A bucket that each call fills by `share` of a retry, and time by `per_second`, so that a quiet deployment
    has some, too.
    """

    def __init__(
        self,
        share: float = 0.2,
        most: float = 10,
        per_second: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._share, self._most, self._per_second, self._clock = share, most, per_second, clock
        self._left, self._filled = most, clock()
        self._lock = threading.Lock()

    def earn(self) -> None:
        """One call is made that is no retry."""
        with self._lock:
            self._fill(self._share)

    def spend(self) -> bool:
        """Whether one more retry may be made; it is taken."""
        with self._lock:
            self._fill(0)
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def _fill(self, more: float) -> None:
        now = self._clock()
        more += (now - self._filled) * self._per_second
        self._left, self._filled = min(self._left + more, self._most), now


class Retrying:
    """A provider asked again, twice at most; what was seen of an answer that failed is taken back first."""

    def __init__(self, inner: Provider, budget: RetryBudget, pause: Pause = patience.pause) -> None:
        self._inner = inner
        self._budget = budget
        self._pause = pause

    def stream(self, request: Request) -> Pieces:
        self._budget.earn()
        ends = time.monotonic() + request.deadlines.whole
        begun = False
        for attempt in self._attempts(request):
            with attempt:
                if begun:
                    begun = False
                    yield Restart()
                left = replace(request.deadlines, whole=ends - time.monotonic())
                pieces = self._inner.stream(replace(request, deadlines=left))
                try:
                    for piece in pieces:
                        begun = begun or isinstance(piece, Text | ToolRequest)
                        yield piece
                finally:
                    pieces.close()

    def _attempts(self, request: Request) -> tenacity.Retrying:
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(_worth_another),
            wait=_wait,
            # In this order: the budget is asked only for a retry that would be made.
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(ATTEMPTS),
                tenacity.stop_before_delay(request.deadlines.whole),
                _Spent(self._budget),
            ),
            sleep=lambda seconds: self._pause(seconds, request.cancelled),
            reraise=True,
        )


class _Spent(tenacity.stop.stop_base):
    def __init__(self, budget: RetryBudget) -> None:
        self._budget = budget

    def __call__(self, retry_state: tenacity.RetryCallState) -> bool:
        return not self._budget.spend()


def _worth_another(error: BaseException) -> bool:
    return isinstance(error, UpstreamError) and error.retryable and (error.retry_after or 0) <= LONGEST_WAIT


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, UpstreamError) else None
    return max(asked or 0, _backoff(state))
