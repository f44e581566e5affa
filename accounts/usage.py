"""What upstream calls cost: one usage entry for each, open before it is made, whatever becomes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts import prices
from accounts.models import UsageEntry

OPEN, LOST = "open", "lost"
# Entries are found by their time, for which there is an index.
LOOKED_BACK = timedelta(days=1)

_INSERT = """
INSERT INTO accounts_usageentry (call, turn, attempt, customer, site, tier, provider, model, model_class,
            input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost, confidence, outcome, seconds,
            created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (call) DO
"""
_BEGIN = _INSERT + "NOTHING"
# A call that was given up for lost and comes back all the same is charged as it was.
_END = (
    _INSERT
    + """
UPDATE SET input_tokens = excluded.input_tokens, cached_tokens = excluded.cached_tokens,
           output_tokens = excluded.output_tokens, reasoning_tokens = excluded.reasoning_tokens,
           cost = excluded.cost, confidence = excluded.confidence, outcome = excluded.outcome,
           seconds = excluded.seconds
     WHERE accounts_usageentry.outcome IN ('open', 'lost')
"""
)


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

    @cached_property
    def cost(self) -> Decimal | None:
        """US dollars; None when nobody knows the price."""
        return prices.cost(self.model, self.tokens, self.overrides)


@dataclass(frozen=True)
class Counted:
    """Tokens as counted here."""

    input: int
    output: int
    cached_input: int = 0
    reasoning: int = 0


def begin(call: CallCharge) -> None:
    """Open the entry of a call about to be made: what stays of it when its worker is killed."""
    _write(_BEGIN, call, OPEN)


def end(call: CallCharge) -> None:
    """Charge a call that is over, once: an entry that is closed stays as it is."""
    _write(_END, call, call.outcome)


def close_lost(
    turn: UUID,
    below_attempt: int,
    produced_tokens: int,
    paid: Callable[[str, str], prices.Overrides] = lambda provider, model: prices.LIST_PRICES,
) -> None:
    """Close the entries that lost attempts of a turn have left open.

    What was shown to the customer is charged to the last of them; `paid` knows what the deployment pays for
    which model of which provider.
    """
    left = UsageEntry.objects.filter(turn=turn, attempt__lt=below_attempt, outcome=OPEN)
    for number, entry in enumerate(left.order_by("-id")):
        output = produced_tokens if number == 0 else 0
        tokens = Counted(entry.input_tokens, output)
        left.filter(pk=entry.pk).update(
            outcome=LOST,
            output_tokens=output,
            cost=prices.cost(entry.model, tokens, paid(entry.provider, entry.model)),
        )


def turns_with_open_calls() -> list[UUID]:
    """Turns whose calls of the last day are open: under way, or their worker is gone."""
    recent = UsageEntry.objects.filter(created_at__gte=timezone.now() - LOOKED_BACK, outcome=OPEN)
    return [*recent.order_by().values_list("turn", flat=True).distinct()]


def _write(statement: str, call: CallCharge, outcome: str) -> None:
    tokens = call.tokens
    confidence = UsageEntry.Confidence.EXACT if call.exact else UsageEntry.Confidence.ESTIMATED
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            [
                call.call, call.turn, call.attempt, call.customer, call.site, call.tier, call.provider,
                call.model, call.model_class, tokens.input, tokens.cached_input, tokens.output,
                tokens.reasoning, call.cost, str(confidence), outcome, call.seconds, timezone.now(),
            ],
        )  # fmt: skip
