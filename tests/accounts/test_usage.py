"""I12: every upstream call has one usage entry."""

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import prices, usage
from accounts.models import Customer, UsageEntry
from accounts.quota import Most
from accounts.usage import Bound, CallCharge


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


def begin(charge: CallCharge) -> None:
    usage.begin(charge, Most("small", charge.model, 0, 0, None), Bound())


def the_entry(charge: CallCharge) -> UsageEntry:
    return UsageEntry.objects.get(call=charge.call)


def test_end_writes_what_the_call_used_and_cost(charge: CallCharge):
    begin(replace(charge, tokens=Tokens(90, 0, 0, 0), exact=False))
    began = the_entry(charge).created_at
    usage.end(charge)
    entry = the_entry(charge)
    tokens = (entry.input_tokens, entry.cached_tokens, entry.output_tokens, entry.reasoning_tokens)
    assert tokens == (100, 40, 300, 20)
    assert entry.cost == Decimal("0.000192")
    assert (entry.confidence, entry.outcome, entry.customer) == ("exact", "ok", charge.customer)
    assert entry.created_at == began


def test_begin_leaves_a_floor_of_what_the_call_costs(charge: CallCharge):
    begin(replace(charge, tokens=Tokens(1000, 0, 0, 0), exact=False))
    entry = the_entry(charge)
    assert (entry.outcome, entry.confidence, entry.input_tokens) == ("open", "estimated", 1000)
    assert entry.cost == Decimal("0.00015")


def test_begin_and_end_change_nothing_the_second_time(charge: CallCharge):
    begin(charge)
    begin(replace(charge, tokens=Tokens(input=9999)))
    usage.end(charge)
    usage.end(replace(charge, tokens=Tokens(input=9999), outcome="stopped"))
    begin(replace(charge, tokens=Tokens(input=9999)))
    assert UsageEntry.objects.values("input_tokens", "outcome").get() == {
        "input_tokens": 100,
        "outcome": "ok",
    }


def test_end_charges_a_call_whose_beginning_was_not_written(charge: CallCharge):
    usage.end(charge)
    assert the_entry(charge).input_tokens == 100


def test_end_marks_what_was_estimated_and_how_it_ended(charge: CallCharge):
    usage.end(replace(charge, exact=False, outcome="cut_stream"))
    entry = the_entry(charge)
    assert (entry.confidence, entry.outcome) == ("estimated", "cut_stream")


def test_end_leaves_the_cost_empty_when_no_price_is_known(charge: CallCharge):
    usage.end(replace(charge, model="harbor-7b"))
    assert the_entry(charge).cost is None


def test_end_charges_what_the_deployment_pays(charge: CallCharge):
    paid = prices.Terms(prices.Overrides(Decimal(1), Decimal(1), Decimal(1)))
    usage.end(replace(charge, terms=paid))
    assert the_entry(charge).cost == Decimal("0.0004")


def test_end_of_impossible_tokens_is_refused(charge: CallCharge):
    with pytest.raises((DatabaseError, ValueError)), transaction.atomic():
        usage.end(replace(charge, tokens=Tokens(output=-1)))
    assert not UsageEntry.objects.exists()


def test_begin_and_end_are_one_statement_each(
    charge: CallCharge, django_assert_num_queries: DjangoAssertNumQueries
):
    with django_assert_num_queries(1):
        begin(charge)
    with django_assert_num_queries(1):
        usage.end(charge)


class TestLost:
    """A worker was killed in the middle of its call."""

    @pytest.fixture
    def lost(self, charge: CallCharge) -> CallCharge:
        begun = replace(charge, tokens=Tokens(1000, 0, 0, 0), exact=False)
        begin(begun)
        return begun

    def test_close_lost_charges_what_was_shown(self, lost: CallCharge):
        usage.close_lost(lost.turn, 2, 500)
        entry = the_entry(lost)
        assert (entry.outcome, entry.confidence) == ("lost", "estimated")
        assert (entry.input_tokens, entry.output_tokens) == (1000, 500)
        assert entry.cost == Decimal("0.00045")

    def test_close_lost_charges_the_prices_that_the_call_was_begun_with(self, charge: CallCharge):
        paid = prices.Terms(prices.Overrides(Decimal(1), Decimal(1), Decimal(1)))
        begun = replace(charge, tokens=Tokens(1000, 0, 0, 0), exact=False, terms=paid)
        begin(begun)
        usage.close_lost(begun.turn, 2, 500)
        assert the_entry(begun).cost == Decimal("0.0015")

    def test_close_lost_leaves_the_cost_empty_when_no_price_was_known(self, charge: CallCharge):
        begin(replace(charge, model="harbor-7b"))
        usage.close_lost(charge.turn, 2, 500)
        assert (the_entry(charge).outcome, the_entry(charge).cost) == ("lost", None)

    def test_close_lost_leaves_the_present_attempt_and_other_turns_alone(self, lost: CallCharge):
        present = replace(lost, call=uuid.uuid4(), attempt=2)
        other = replace(lost, call=uuid.uuid4(), turn=uuid.uuid4())
        begin(present)
        begin(other)
        usage.close_lost(lost.turn, 2, 500)
        assert [the_entry(call).outcome for call in (lost, present, other)] == ["lost", "open", "open"]

    def test_close_lost_charges_the_last_of_several_with_what_was_shown(self, lost: CallCharge):
        later = replace(lost, call=uuid.uuid4(), attempt=2)
        begin(later)
        usage.close_lost(lost.turn, 3, 500)
        assert [the_entry(call).output_tokens for call in (lost, later)] == [0, 500]

    def test_close_lost_that_was_killed_halfway_goes_on_where_it_was(self, lost: CallCharge):
        later = replace(lost, call=uuid.uuid4(), attempt=2)
        begin(later)
        UsageEntry.objects.filter(call=later.call).update(outcome="lost", output_tokens=500)
        usage.close_lost(lost.turn, 3, 500)
        assert (the_entry(lost).outcome, the_entry(lost).output_tokens) == ("lost", 0)
        assert the_entry(later).output_tokens == 500

    def test_turns_with_open_calls_are_found_however_old(self, lost: CallCharge, charge: CallCharge):
        UsageEntry.objects.update(created_at=timezone.now() - timedelta(days=40))
        assert usage.turns_with_open_calls() == [lost.turn]
        usage.end(charge)
        assert usage.turns_with_open_calls() == []

    def test_close_lost_changes_nothing_the_second_time(self, lost: CallCharge):
        usage.close_lost(lost.turn, 2, 500)
        usage.close_lost(lost.turn, 2, 9999)
        assert the_entry(lost).output_tokens == 500

    def test_close_lost_leaves_calls_that_are_over(self, charge: CallCharge):
        usage.end(charge)
        usage.close_lost(charge.turn, 2, 500)
        assert the_entry(charge).outcome == "ok"

    def test_call_given_up_for_lost_is_charged_as_it_was_when_it_comes_back(
        self, lost: CallCharge, charge: CallCharge
    ):
        usage.close_lost(lost.turn, 2, 500)
        usage.end(charge)
        entry = the_entry(lost)
        assert (entry.outcome, entry.confidence, entry.output_tokens) == ("ok", "exact", 300)
