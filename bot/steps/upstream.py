"""The models of a choice as one provider: made once, watched by breakers, every upstream call charged."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import redis
from django.conf import settings
from django.db import connection

from accounts import prices, usage
from bot.llm.base import Provider
from bot.llm.fallback import Fallback, Target
from bot.llm.openai_compatible import OpenAICompatible
from bot.llm.recorded import Call, CallRecord
from bot.llm.redis_breakers import RedisBreakers
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

    def before(self, call: Call) -> None:
        """Wait for a model with no connection in hand: the pool belongs to those who work."""
        self.work.check_fence()
        connection.close()

    def after(self, record: CallRecord) -> None:
        """Charge the call, whatever became of it."""
        entry = usage.record(self._charge(record))
        self.model = record.call.model
        self.input_tokens += entry.input_tokens
        self.output_tokens += entry.output_tokens
        if entry.cost is not None:
            self.cost = (self.cost or Decimal(0)) + entry.cost

    def _charge(self, record: CallRecord) -> usage.CallCharge:
        conversation = self.work.conversation
        named = (record.call.provider, record.call.model)
        model = next(m for m in self.choice.models if (m.provider.name, m.name) == named)
        return usage.CallCharge(
            call=record.call.id,
            turn=self.work.turn.id,
            attempt=self.work.attempt,
            customer=conversation.customer_id,
            site=conversation.site.key,
            tier=conversation.customer.effective_tier.slug,
            provider=model.provider.name,
            model=model.name,
            model_class=self.choice.model_class,
            tokens=record.usage,
            exact=record.usage.exact,
            overrides=prices.Overrides(model.input_price, model.cached_price, model.output_price),
            outcome=record.error or "ok",
            seconds=round(record.seconds, 3),
        )


def provider(choice: Choice, calls: Calls) -> Provider:
    """The models of a choice, tried in order."""
    targets = [Target(model.provider.name, model.name, _client(model)) for model in choice.models]
    return Fallback(targets, before_call=calls.before, after_call=calls.after, breakers=_breakers())


def _client(model: Model) -> Provider:
    row = model.provider
    capabilities = Capabilities(
        usage_in_stream=row.usage_in_stream,
        tools=row.tools,
        system_role=row.system_role,
        max_tokens_name=row.max_tokens_name,  # type: ignore[arg-type]
    )
    return _endpoint(row.base_url, row.key, capabilities)


@cache
def _endpoint(base_url: str, key: str, capabilities: Capabilities) -> OpenAICompatible:
    """One client for each provider and process: it holds the connections."""
    return OpenAICompatible(base_url, key, capabilities)


@cache
def _breakers() -> RedisBreakers:
    return RedisBreakers(redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1))
