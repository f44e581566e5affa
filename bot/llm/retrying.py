"""The one layer that asks the same target again."""

import time
from collections.abc import Callable
from dataclasses import replace

import tenacity

from bot.llm.base import Piece, Pieces, Provider, Request
from bot.llm.errors import UpstreamError

ATTEMPTS = 3
# A provider that asks for more patience than this is left for the next one.
LONGEST_WAIT = 3.0
_backoff = tenacity.wait_exponential_jitter(multiplier=0.2, max=LONGEST_WAIT, jitter=0.2)


class Retrying:
    """A provider asked again while nothing of its answer has been seen."""

    def __init__(self, inner: Provider, sleep: Callable[[float], None] = time.sleep) -> None:
        self._inner = inner
        self._sleep = sleep

    def stream(self, request: Request) -> Pieces:
        whole = request.deadlines.whole
        started = time.monotonic()

        def begin() -> tuple[Piece, Pieces]:
            left = replace(request.deadlines, whole=whole - (time.monotonic() - started))
            pieces = self._inner.stream(replace(request, deadlines=left))
            return next(pieces), pieces

        first, rest = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_worth_another),
            wait=_wait,
            stop=tenacity.stop_after_attempt(ATTEMPTS) | tenacity.stop_before_delay(whole),
            sleep=self._sleep,
            reraise=True,
        )(begin)
        try:
            yield first
            yield from rest
        finally:
            rest.close()


def _worth_another(error: BaseException) -> bool:
    return isinstance(error, UpstreamError) and error.retryable and (error.retry_after or 0) <= LONGEST_WAIT


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, UpstreamError) else None
    return max(asked or 0, _backoff(state))
