"""The providers of a choice: made once, watched by a breaker, metered so that every upstream call is charged."""

import time
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

import redis
from django.conf import settings

from accounts import prices, quota
from bot.llm import counting
from bot.llm.base import Finish, Pieces, Provider, Request, Text, ToolRequest, Usage
from bot.llm.breaker import Breaker, RedisStore
from bot.llm.errors import UpstreamError
from bot.llm.fallback import Fallback, Target
from bot.llm.openai_compatible import OpenAICompatible
from bot.llm.wire import Capabilities
from bot.models import Model
from bot.steps.choice import Choice
from bot.steps.work import Work


@dataclass
class Calls:
    """The upstream calls of one turn and what they come to."""

    work: Work
    choice: Choice
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None

    def charge(self, model: Model, tokens: Usage, outcome: str, seconds: float) -> None:
        """Write the usage entry of one call and add it up."""
        customer = self.work.conversation.customer
        entry = quota.record(
            quota.CallCharge(
                call=uuid.uuid4(),
                turn=self.work.turn.id,
                attempt=self.work.attempt,
                customer=customer.id,
                site=self.work.conversation.site.key,
                tier=customer.effective_tier.slug,
                provider=model.provider.name,
                model=model.name,
                model_class=self.choice.model_class,
                tokens=tokens,
                exact=tokens.exact,
                overrides=prices.Overrides(model.input_price, model.cached_price, model.output_price),
                outcome=outcome,
                seconds=round(seconds, 3),
            )
        )
        self.model = model.name
        self.input_tokens += entry.input_tokens
        self.output_tokens += entry.output_tokens
        if entry.cost is not None:
            self.cost = (self.cost or Decimal(0)) + entry.cost


@dataclass
class Metered:
    """A provider whose every call is charged, also when it fails, is stopped, or is thrown away."""

    provider: Provider
    model: Model
    calls: Calls

    def stream(self, request: Request) -> Pieces:
        meter = _Meter(request)
        try:
            for piece in self.provider.stream(request):
                meter.see(piece)
                yield piece
        except UpstreamError as error:
            meter.failed(error)
            raise
        finally:
            if meter.usage:
                self.calls.charge(self.model, meter.usage, meter.outcome, meter.seconds)


@dataclass
class _Meter:
    """What one call has come to so far; `stopped` until it ends by itself."""

    request: Request
    outcome: str = "stopped"
    produced: list[str] = field(default_factory=list)
    reported: Usage | None = None
    sent: bool = True
    started: float = field(default_factory=time.monotonic)

    def see(self, piece: object) -> None:
        match piece:
            case Text(text):
                self.produced.append(text)
            case ToolRequest(name=name, arguments=arguments):
                self.produced.append(name + arguments)
            case Usage():
                self.reported = piece
            case Finish():
                self.outcome = "ok"

    def failed(self, error: UpstreamError) -> None:
        self.outcome = error.kind
        self.reported = error.usage
        # Without usage nothing was sent, so nothing is owed.
        self.sent = error.usage is not None

    @property
    def usage(self) -> Usage | None:
        if self.reported or not self.sent:
            return self.reported
        return counting.estimate(self.request, "".join(self.produced))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


def provider(choice: Choice, calls: Calls) -> Provider:
    """The models of a choice as one provider that tries them in order."""
    return Fallback([Target(_watched(model, calls), model.name) for model in choice.models])


def _watched(model: Model, calls: Calls) -> Provider:
    row = model.provider
    capabilities = Capabilities(
        usage_in_stream=row.usage_in_stream,
        tools=row.tools,
        system_role=row.system_role,
        max_tokens_name=row.max_tokens_name,  # type: ignore[arg-type]
    )
    endpoint = _endpoint(row.base_url, row.key, capabilities)
    return Breaker(Metered(endpoint, model, calls), f"{row.name}/{model.name}", _breakers())


@cache
def _endpoint(base_url: str, key: str, capabilities: Capabilities) -> OpenAICompatible:
    """One client for each provider and process: it holds the connections."""
    return OpenAICompatible(base_url, key, capabilities)


@cache
def _breakers() -> RedisStore:
    return RedisStore(redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1))
