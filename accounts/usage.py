"""What upstream calls cost: one usage entry for each, whatever became of it."""

from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import prices
from accounts.models import UsageEntry


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
    overrides: prices.Overrides = prices.LIST_PRICES
    outcome: str = "ok"
    seconds: float = 0


def record(call: CallCharge) -> UsageEntry:
    """Write the usage entry of an upstream call, once: for a call known already, the entry it has."""
    entry = UsageEntry(
        call=call.call,
        turn=call.turn,
        attempt=call.attempt,
        customer=call.customer,
        site=call.site,
        tier=call.tier,
        provider=call.provider,
        model=call.model,
        model_class=call.model_class,
        input_tokens=call.tokens.input,
        cached_tokens=call.tokens.cached_input,
        output_tokens=call.tokens.output,
        reasoning_tokens=call.tokens.reasoning,
        cost=prices.cost(call.model, call.tokens, call.overrides),
        confidence=UsageEntry.Confidence.EXACT if call.exact else UsageEntry.Confidence.ESTIMATED,
        outcome=call.outcome,
        seconds=call.seconds,
    )
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError:
        known = UsageEntry.objects.filter(call=call.call).first()
        if known is None:
            raise
        return known
    return entry
