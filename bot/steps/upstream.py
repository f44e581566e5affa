"""The models of a choice as one provider: made once, watched by breakers, every upstream call charged."""

import threading
import time
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

import redis
import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from accounts import prices, quota, usage
from bot import leases, metrics
from bot.errors import Fenced, GaveUp
from bot.llm import counting, patience
from bot.llm.base import Pieces, Provider, Request, Text
from bot.llm.fallback import Fallback, Guards, Target
from bot.llm.openai_compatible import OpenAICompatible
from bot.llm.recorded import Call, CallRecord
from bot.llm.redis_breakers import RedisBreakers
from bot.llm.redis_places import RedisPlaces
from bot.llm.wire import Capabilities
from bot.models import Model, Price
from bot.steps import choice as choices
from bot.steps.choice import Choice
from bot.steps.work import Work

# So long a restart of the database may take without a call's charge being lost.
CHARGE_SECONDS = 12.0

log = structlog.get_logger(__name__)

_making = threading.Lock()


@dataclass
class Calls:
    """The upstream calls of one turn and what they come to."""

    work: Work
    choice: Choice
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None
    # Whether a model has answered yet.
    answered: bool = False
    # How long models were at work, in the calls that are over, and since when the present one is.
    model_seconds: float = 0
    asked_at: float = 0
    # What limits the calls.
    bound: usage.Bound = field(default_factory=usage.Bound)

    def before(self, call: Call) -> None:
        """Open the call's entry, then wait with no connection in hand: the pool belongs to those who work.

        Raises GaveUp when the turn has cost enough.
        """
        self.work.check_fence()
        if self.input_tokens + self.output_tokens > settings.TURN_TOKENS:
            raise GaveUp("tokens")
        if self.cost is not None and self.cost > settings.TURN_COST:
            raise GaveUp("cost")
        self.model = call.model
        begun = self._charge(call, usage.Counted(counting.roughly(call.request), 0), exact=False)
        usage.begin(begun, self._most(call), self.bound)
        connection.close()
        self.asked_at = time.monotonic()

    def after(self, record: CallRecord) -> None:
        """Charge the call, whatever became of it."""
        outcome = record.error or "ok"
        charge = self._charge(record.call, record.usage, record.usage.exact, outcome, record.seconds)
        self.answered = self.answered or record.error is None
        self.model_seconds += record.seconds
        self.input_tokens += record.usage.input
        self.output_tokens += record.usage.output
        if charge.cost is not None:
            self.cost = (self.cost or Decimal(0)) + charge.cost
        _tell(record, outcome)
        _end(charge)

    def show(self) -> None:
        """Text of a model is about to be seen: from now on what the customer says makes the next turn."""
        work = self.work
        shown = leases.show(work.turn.id, work.attempt, model=self.model, model_class=self.choice.model_class)
        connection.close()
        if not shown:
            raise Fenced
        work.first_text_at = timezone.now()
        waited = (work.first_text_at - work.turn.queued_at).total_seconds()
        at_work = self.model_seconds + time.monotonic() - self.asked_at
        metrics.observe(
            "first_text_over_model_seconds", max(0, waited - at_work), model_class=self.choice.model_class
        )

    def _most(self, call: Call) -> quota.Most:
        """What the call may come to: its whole prompt and the longest answer, at the dearest price ahead."""
        read = counting.input_tokens(call.request)
        written = call.request.settings.max_tokens or 0
        most = usage.Counted(read, written)
        costs = [prices.cost(model.name, most, model.paid) for model in self.choice.models]
        known = [cost for cost in costs if cost is not None]
        return quota.Most(self.choice.model_class, call.model, read, written, max(known, default=None))

    def _charge(
        self, call: Call, tokens: prices.Tokens, exact: bool, outcome: str = "ok", seconds: float = 0
    ) -> usage.CallCharge:
        conversation = self.work.conversation
        named = (call.provider, call.model)
        model = next(m for m in self.choice.models if (m.provider.name, m.name) == named)
        return usage.CallCharge(
            call=call.id,
            turn=self.work.turn.id,
            attempt=self.work.attempt,
            customer=conversation.customer_id,
            site=conversation.site.key,
            tier=conversation.customer.effective_tier.slug,
            provider=call.provider,
            model=call.model,
            model_class=self.choice.model_class,
            tokens=tokens,
            exact=exact,
            overrides=model.paid,
            outcome=outcome,
            seconds=round(seconds, 3),
        )


class _Announced:
    """A provider whose first text is announced before anybody sees it."""

    def __init__(self, inner: Provider, calls: Calls) -> None:
        self._inner = inner
        self._calls = calls

    def stream(self, request: Request) -> Pieces:
        pieces = self._inner.stream(request)
        try:
            for piece in pieces:
                if isinstance(piece, Text) and self._calls.work.first_text_at is None:
                    self._calls.show()
                yield piece
        finally:
            pieces.close()


def provider(choice: Choice, calls: Calls) -> Provider:
    """The models of a choice, tried in order."""
    targets = [
        Target(
            provider_name=model.provider.name,
            model=model.name,
            provider=_client(model),
            settings=choices.settings_of(model),
            deadlines=choices.deadlines(model),
            max_streams=model.provider.max_streams,
        )
        for model in choice.models
    ]
    guarded = Fallback(targets, before_call=calls.before, after_call=calls.after, guards=_guards())
    return _Announced(guarded, calls)


def paid(provider_name: str, model_name: str) -> prices.Overrides:
    """What the deployment pays for a model, for calls whose worker is gone."""
    own = Price.objects.filter(provider__name=provider_name, model=model_name, starts_at__lte=timezone.now())
    row = own.order_by("-starts_at").values_list("input", "cached", "output", "call").first()
    return prices.Overrides(*row) if row else prices.LIST_PRICES


def _client(model: Model) -> Provider:
    row = model.provider
    capabilities = Capabilities(
        usage_in_stream=row.usage_in_stream,
        tools=row.tools,
        system_role=row.system_role,
        max_tokens_name=row.max_tokens_name,  # type: ignore[arg-type]
    )
    # One at a time: a worker's first turns come together, and each would make a client of its own.
    with _making:
        return _endpoint(row.base_url, row.key, capabilities)


@cache
def _endpoint(base_url: str, key: str, capabilities: Capabilities) -> OpenAICompatible:
    """One client for each provider and process: it holds the connections."""
    return OpenAICompatible(base_url, key, capabilities)


@cache
def _guards() -> Guards:
    """This process's share in the breakers and places of all, and its budget of retries."""
    # Once more where Redis has closed the connection meanwhile; else this process' own copies do.
    retry = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=retry)
    return Guards(RedisBreakers(client), RedisPlaces(client), pause=_pause)


def _pause(seconds: float, cancelled: threading.Event | None) -> None:
    """Wait for a place or another try with no connection in hand."""
    connection.close()
    patience.pause(seconds, cancelled)


def _tell(record: CallRecord, outcome: str) -> None:
    call, failure = record.call, record.failure
    provider, model = call.provider, call.model
    metrics.count("upstream_calls", outcome=outcome, provider=provider, model=model)
    if (first := record.first_token_seconds) is not None:
        metrics.observe("upstream_first_token_seconds", first, provider=provider, model=model)
    if failure and failure.needs_operator:
        log.error(
            "provider refuses us", provider=provider, model=model, kind=failure.kind, status=failure.status
        )


def _end(charge: usage.CallCharge) -> None:
    """Close the call's entry, patiently; what cannot be written stays open, a floor of what the call cost."""
    gives_up, wait = time.monotonic() + CHARGE_SECONDS, 0.05
    while True:
        try:
            usage.end(charge)
        except (OperationalError, InterfaceError) as error:
            connection.close()
            if time.monotonic() + wait > gives_up:
                log.error("call not charged", call=str(charge.call), error=type(error).__name__)  # noqa: TRY400
                return
            threading.Event().wait(wait)
            wait = min(wait * 1.6, 1.0)
        else:
            return
