"""Every cent is explained: a usage entry says what it was charged by, and what that comes to."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.db.models import Sum

from accounts import prices, usage
from accounts.models import Customer, UsageEntry
from accounts.quota import Most
from accounts.usage import Bound, CallCharge, Counted

CALLS = 1000
TINY = Decimal("0.000001")


def charge(customer: Customer, tokens: Counted, paid: prices.Overrides = prices.LIST_PRICES) -> None:
    call = CallCharge(
        call=uuid4(), turn=uuid4(), attempt=1, customer=customer.id, site="demo", tier="free",
        provider="openai", model="gpt-4o-mini", model_class="small", tokens=tokens, exact=True,
        terms=prices.terms("gpt-4o-mini", paid),
    )  # fmt: skip
    usage.begin(call, Most("small", call.model, 0, 0, None), Bound())
    usage.end(call)


def recomputed(entry: UsageEntry) -> Decimal:
    """By the rates on the entry, as somebody with the ledger alone would."""
    fresh = entry.input_tokens - entry.cached_tokens
    tokens = ((fresh, entry.input_price), (entry.cached_tokens, entry.cached_price),
              (entry.output_tokens, entry.output_price))  # fmt: skip
    assert entry.call_price is not None
    return sum((count * price / 1_000_000 for count, price in tokens if price), entry.call_price)


def test_a_thousand_calls_cost_what_the_list_says_to_the_last_digit(alice: Customer) -> None:
    for _ in range(CALLS):
        charge(alice, Counted(100, 300))
    entries = UsageEntry.objects.filter(customer=alice.id)
    assert entries.aggregate(cost=Sum("cost"))["cost"] == Decimal("0.195")
    charged_by = entries.values_list(
        "input_price", "cached_price", "output_price", "call_price", "price_source"
    )
    rates = (Decimal("0.15"), Decimal("0.075"), Decimal("0.6"), Decimal(0), "list")
    assert list(charged_by.distinct()) == [rates]
    assert {recomputed(entry) for entry in entries} == {Decimal("0.000195")}


@pytest.mark.parametrize(
    ("tokens", "paid"),
    [
        (Counted(12345, 678, 5000, 100), prices.LIST_PRICES),
        (Counted(7, 1, 3), prices.Overrides(input=TINY, cached=TINY, output=TINY)),
        (
            Counted(999_999, 333),
            prices.Overrides(output=Decimal("12.345678"), call=Decimal("0.000000000001")),
        ),
        (Counted(100, 300), prices.Overrides(Decimal(0), None, Decimal(0))),
    ],
)
def test_cost_is_that_of_the_rates_on_the_entry(
    alice: Customer, tokens: Counted, paid: prices.Overrides
) -> None:
    charge(alice, tokens, paid)
    entry = UsageEntry.objects.get()
    assert entry.cost == recomputed(entry)
    assert entry.price_source == ("list" if paid == prices.LIST_PRICES else "own")
