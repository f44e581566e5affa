"""I12: every upstream call has one usage entry."""

import uuid
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from django.db import IntegrityError

from accounts import prices, usage
from accounts.models import Customer, UsageEntry
from accounts.usage import CallCharge


@dataclass(frozen=True)
class Tokens:
    input: int = 100
    cached_input: int = 40
    output: int = 300
    reasoning: int = 20


@pytest.fixture
def charge(alice: Customer) -> CallCharge:
    return CallCharge(
        call=uuid.uuid4(),
        turn=uuid.uuid4(),
        attempt=1,
        customer=alice.id,
        site=alice.site.key,
        tier="free",
        provider="openai",
        model="gpt-4o-mini",
        model_class="small",
        tokens=Tokens(),
        exact=True,
        seconds=1.5,
    )


def test_record_writes_what_the_call_used_and_cost(charge: CallCharge):
    usage.record(charge)
    entry = UsageEntry.objects.get(call=charge.call)
    tokens = (entry.input_tokens, entry.cached_tokens, entry.output_tokens, entry.reasoning_tokens)
    assert tokens == (100, 40, 300, 20)
    assert entry.cost == Decimal("0.000192")
    assert (entry.confidence, entry.outcome, entry.customer) == ("exact", "ok", charge.customer)


def test_record_changes_nothing_when_the_call_is_known(charge: CallCharge):
    first = usage.record(charge)
    again = usage.record(replace(charge, tokens=Tokens(input=9999), outcome="stopped"))
    assert again == first
    assert UsageEntry.objects.values("input_tokens", "outcome").get() == {
        "input_tokens": 100,
        "outcome": "ok",
    }


def test_record_marks_what_was_estimated_and_how_it_ended(charge: CallCharge):
    entry = usage.record(replace(charge, exact=False, outcome="cut_stream"))
    assert (entry.confidence, entry.outcome) == ("estimated", "cut_stream")


def test_record_leaves_the_cost_empty_when_no_price_is_known(charge: CallCharge):
    assert usage.record(replace(charge, model="harbor-7b")).cost is None


def test_record_charges_what_the_deployment_pays(charge: CallCharge):
    paid = prices.Overrides(Decimal(1), Decimal(1), Decimal(1))
    assert usage.record(replace(charge, overrides=paid)).cost == Decimal("0.0004")


def test_record_of_impossible_tokens_is_refused(charge: CallCharge):
    with pytest.raises((IntegrityError, ValueError)):
        usage.record(replace(charge, tokens=Tokens(output=-1)))
    assert not UsageEntry.objects.exists()
