"""What upstream calls cost: one usage entry for each, open before it is made, whatever becomes of it."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts import prices, quota
from accounts.limits import Binding
from accounts.models import Limit, UsageEntry
from accounts.quota import Most

OPEN, LOST = "open", "lost"

_ROW = """
INSERT INTO accounts_usageentry (call, turn, attempt, customer, site, tier, provider, model, model_class,
            input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost, input_price, cached_price,
            output_price, call_price, price_source, confidence, outcome, seconds, created_at)
SELECT %(call)s, %(turn)s, %(attempt)s, %(customer)s, %(site)s, %(tier)s, %(provider)s, %(model)s,
       %(model_class)s, %(input)s, %(cached)s, %(output)s, %(reasoning)s, %(cost)s, %(input_price)s,
       %(cached_price)s, %(output_price)s, %(call_price)s, %(price_source)s, %(confidence)s, %(outcome)s,
       %(seconds)s, %(now)s
"""
# Held and opened by one statement, or neither.
_BEGIN = f"""
WITH refused AS MATERIALIZED ({quota.HOLD}), opened AS (
    {_ROW} WHERE NOT EXISTS (SELECT 1 FROM refused) ON CONFLICT (call) DO NOTHING
)
SELECT * FROM refused
"""  # noqa: S608  put together from constants
# Charged and settled by one statement, or neither. A call that was given up for lost and comes back all the
# same is charged as it was.
_END = f"""
WITH ended AS (
    {_ROW} ON CONFLICT (call) DO UPDATE
    SET input_tokens = excluded.input_tokens, cached_tokens = excluded.cached_tokens,
        output_tokens = excluded.output_tokens, reasoning_tokens = excluded.reasoning_tokens,
        cost = excluded.cost, input_price = excluded.input_price, cached_price = excluded.cached_price,
        output_price = excluded.output_price, call_price = excluded.call_price,
        price_source = excluded.price_source, confidence = excluded.confidence, outcome = excluded.outcome,
        seconds = excluded.seconds
    WHERE accounts_usageentry.outcome IN ('open', 'lost')
    RETURNING call
)
SELECT {quota.SETTLE} FROM ended
"""  # noqa: S608  put together from constants
# What a lost call is charged: its entry is open until somebody does.
_CLOSE = f"""
WITH closed AS (
    UPDATE accounts_usageentry SET outcome = 'lost', output_tokens = %(output)s, cost = %(cost)s
     WHERE call = %(use)s AND outcome = 'open' RETURNING call
)
SELECT {quota.SETTLE} FROM closed
"""  # noqa: S608  put together from constants


@dataclass(frozen=True)
class CallCharge:
    """One upstream call to be charged; `exact` when the provider counted the tokens, not we."""

    call: UUID
    turn: UUID
    attempt: int
    customer: UUID
    site: str
    tier: str
    provider: str
    model: str
    model_class: str
    tokens: prices.Tokens
    exact: bool
    # What the model was charged by when the call began; None: the list price of a model of this name.
    terms: prices.Terms | None = None
    outcome: str = "ok"
    seconds: float = 0

    @cached_property
    def rates(self) -> prices.Rates | None:
        """What it is charged by; None when nobody knows the price."""
        return (self.terms or prices.terms(self.model)).rates(self.tokens.input)

    @property
    def cost(self) -> Decimal | None:
        """US dollars; None when nobody knows the price."""
        return self.rates.cost(self.tokens) if self.rates else None

    @property
    def used(self) -> str:
        """By metric, for the windows that count it."""
        return _used(self.tokens, self.cost)


@dataclass(frozen=True)
class Counted:
    """Tokens as counted here."""

    input: int
    output: int
    cached_input: int = 0
    reasoning: int = 0


@dataclass(frozen=True)
class Bound:
    """What limits a call: the customer's limits, how long it holds, and the language of a refusal."""

    binding: Binding = field(default_factory=Binding)
    seconds: float = 180
    locale: str = "en"


def begin(call: CallCharge, most: Most, bound: Bound, now: datetime | None = None) -> None:
    """Hold what a call may come to, and open its entry, which stays when its worker is killed.

    Raises Exhausted or SpendingStopped, and then has done nothing.
    """
    binding, turn, now = bound.binding, call.turn, now or timezone.now()
    claims = quota.message_claims(binding, turn, call.model_class, call.model)
    claims += quota.call_claims(binding, call.call, most)
    facts = quota.hold_facts(claims, [turn, call.call], turn, call.customer, bound.seconds, now)
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, _row(call, OPEN, now) | facts)
        rows = cursor.fetchall()
    quota.refuse(rows, claims, bound.locale)


def end(call: CallCharge) -> None:
    """Charge a call that is over, once, and settle what was held: an entry that is closed stays as it is."""
    with connection.cursor() as cursor:
        cursor.execute(_END, _row(call, call.outcome, timezone.now()) | {"use": call.call, "used": call.used})


def close_lost(turn: UUID, below_attempt: int, produced_tokens: int) -> None:
    """Charge the calls that lost attempts of a turn have left open, by the prices they were begun with.

    What was shown to the customer is charged to their last call, unless that is closed by now: whoever was
    killed in here has charged it already.
    """
    made = UsageEntry.objects.filter(turn=turn, attempt__lt=below_attempt).order_by("-id")
    for number, entry in enumerate(made):
        if entry.outcome != OPEN:
            continue
        tokens = Counted(entry.input_tokens, produced_tokens if number == 0 else 0)
        rates = _rates(entry)
        cost = rates.cost(tokens) if rates else None
        facts: dict[str, Any] = {
            "use": entry.call,
            "used": _used(tokens, cost),
            "output": tokens.output,
            "cost": cost,
        }
        with connection.cursor() as cursor:
            cursor.execute(_CLOSE, facts)


def _rates(entry: UsageEntry) -> prices.Rates | None:
    """What the entry is charged by; None when nobody knew the price."""
    if not entry.price_source:
        return None
    call = entry.call_price or Decimal(0)
    return prices.Rates(entry.input_price, entry.cached_price, entry.output_price, call, entry.price_source)


def turns_with_open_calls() -> list[UUID]:
    """Turns whose calls are open: under way, or their worker is gone."""
    left = UsageEntry.objects.filter(outcome=OPEN)
    return [*left.order_by().values_list("turn", flat=True).distinct()]


def _used(tokens: prices.Tokens, cost: Decimal | None) -> str:
    counts = {
        Limit.Metric.INPUT: tokens.input,
        Limit.Metric.OUTPUT: tokens.output,
        Limit.Metric.TOTAL: tokens.input + tokens.output,
        Limit.Metric.MONEY: cost or 0,
    }
    return json.dumps({str(metric): str(count) for metric, count in counts.items()})


def _row(call: CallCharge, outcome: str, now: datetime) -> dict[str, Any]:
    tokens, rates = call.tokens, call.rates
    return {
        "call": call.call,
        "turn": call.turn,
        "attempt": call.attempt,
        "customer": call.customer,
        "site": call.site,
        "tier": call.tier,
        "provider": call.provider,
        "model": call.model,
        "model_class": call.model_class,
        "input": tokens.input,
        "cached": tokens.cached_input,
        "output": tokens.output,
        "reasoning": tokens.reasoning,
        "cost": call.cost,
        "input_price": rates and rates.input,
        "cached_price": rates and rates.cached,
        "output_price": rates and rates.output,
        "call_price": rates and rates.call,
        "price_source": rates.source if rates else "",
        "confidence": str(UsageEntry.Confidence.EXACT if call.exact else UsageEntry.Confidence.ESTIMATED),
        "outcome": outcome,
        "seconds": call.seconds,
        "now": now,
    }
