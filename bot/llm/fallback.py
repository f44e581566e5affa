"""A provider made of several: the next is asked when one cannot answer."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.llm import patience
from bot.llm.base import Deadlines, Pieces, Provider, Request, Restart, Settings, Text, ToolRequest
from bot.llm.breaker import Breaker, BreakerStore
from bot.llm.ceiling import Ceiling, LocalPlaces, PlaceStore
from bot.llm.errors import ContextTooLong, UpstreamError
from bot.llm.patience import Pause
from bot.llm.recorded import AfterCall, BeforeCall, Recorded
from bot.llm.retrying import RetryBudget, Retrying


@dataclass(frozen=True, slots=True)
class Target:
    """One model of one provider, by the names the provider knows them by, and how it is asked.

    `max_streams` is the provider's ceiling, None where it has none; see `Request.thinks`.
    """

    provider_name: str
    model: str
    provider: Provider
    settings: Settings = field(default_factory=Settings)
    deadlines: Deadlines = field(default_factory=Deadlines)
    max_streams: int | None = None
    thinks: bool = False

    def fit(self, request: Request, seconds: float) -> Request:
        """The request as this model is to get it, with no more time than is left."""
        deadlines = replace(self.deadlines, whole=min(self.deadlines.whole, seconds))
        return replace(
            request, model=self.model, settings=self.settings, deadlines=deadlines, thinks=self.thinks
        )


@dataclass(frozen=True, slots=True)
class Guards:
    """What all calls of a process share: breakers, places, the budget of retries, the way to wait."""

    breakers: BreakerStore
    places: PlaceStore = field(default_factory=LocalPlaces)
    budget: RetryBudget = field(default_factory=RetryBudget)
    pause: Pause = patience.pause


class Fallback:
    """Asks its targets in order until one has answered; the request's whole deadline holds for all of them.

    From outside in, each target is retried (a new try needs the breaker's leave and a place again), guarded
    by its breaker (an open one refuses at once, before anybody waits for a place), kept under its provider's
    ceiling, and recorded: `before_call` runs before every upstream call and may refuse it with an exception
    of its own, which passes through, or give another request instead; `after_call` runs after each.
    """

    def __init__(
        self, targets: Sequence[Target], *, before_call: BeforeCall, after_call: AfterCall, guards: Guards
    ) -> None:
        if not targets:
            raise ValueError("A fallback needs a target")
        self._before_call, self._after_call, self._guards = before_call, after_call, guards
        self._chain = [(target, self._guarded(target)) for target in targets]

    def stream(self, request: Request) -> Pieces:
        ends = time.monotonic() + request.deadlines.whole
        begun, number = False, 0
        while True:
            if begun:
                begun = False
                yield Restart()
            target, provider = self._chain[number]
            pieces = provider.stream(target.fit(request, ends - time.monotonic()))
            try:
                for piece in pieces:
                    if isinstance(piece, Text | ToolRequest | Restart):
                        begun = not isinstance(piece, Restart)
                    yield piece
            except UpstreamError as error:
                step = self._next(number, request, error)
                if step is None or time.monotonic() >= ends:
                    raise
                number, request = step
            else:
                return
            finally:
                pieces.close()

    def _next(self, number: int, request: Request, error: UpstreamError) -> tuple[int, Request] | None:
        """Which target to ask after a failure, and what; None when nothing helps."""
        if isinstance(error, ContextTooLong) and request.shorten:
            return number, replace(request, messages=request.shorten(), shorten=None)
        if error.next_model and number + 1 < len(self._chain):
            return number + 1, request
        return None

    def _guarded(self, target: Target) -> Provider:
        guards = self._guards
        provider: Provider = Recorded(
            target.provider, target.provider_name, self._before_call, self._after_call
        )
        if target.max_streams is not None:
            provider = Ceiling(
                provider, target.provider_name, target.max_streams, guards.places, guards.pause
            )
        provider = Breaker(provider, f"{target.provider_name}:{target.model}", guards.breakers)
        return Retrying(provider, guards.budget, guards.pause)
