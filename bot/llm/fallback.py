"""A provider made of several: the next is asked when one cannot answer."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.llm.base import Pieces, Provider, Request
from bot.llm.breaker import Breaker, BreakerStore
from bot.llm.errors import CircuitOpen, UpstreamError
from bot.llm.recorded import AfterCall, BeforeCall, Recorded
from bot.llm.retrying import Retrying


@dataclass(frozen=True, slots=True)
class Target:
    """One model of one provider, by the names the provider knows them by."""

    provider_name: str
    model: str
    provider: Provider


class Fallback:
    """Asks its targets in order until the first piece; whatever fails after it is the reader's to handle.

    Each target is retried, guarded by its breaker, and recorded: `before_call` runs before every upstream
    call and may refuse it with an exception of its own, which passes through; `after_call` runs after each.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        before_call: BeforeCall,
        after_call: AfterCall,
        breakers: BreakerStore,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not targets:
            raise ValueError("A fallback needs a target")
        self._chain: list[tuple[str, Provider]] = []
        for target in targets:
            recorded = Recorded(target.provider, target.provider_name, before_call, after_call)
            guarded = Breaker(recorded, f"{target.provider_name}:{target.model}", breakers)
            self._chain.append((target.model, Retrying(guarded, sleep)))

    def stream(self, request: Request) -> Pieces:
        ends = time.monotonic() + request.deadlines.whole
        for number, (model, provider) in enumerate(self._chain, start=1):
            deadlines = replace(request.deadlines, whole=ends - time.monotonic())
            pieces = provider.stream(replace(request, model=model, deadlines=deadlines))
            try:
                first = next(pieces)
            except UpstreamError as error:
                if number == len(self._chain) or time.monotonic() >= ends or not _another_may_help(error):
                    raise
                continue
            try:
                yield first
                yield from pieces
            finally:
                pieces.close()
            return


def _another_may_help(error: UpstreamError) -> bool:
    return error.retryable or error.counts_against_provider or isinstance(error, CircuitOpen)
