"""What a customer is given: checked, with a reason, recorded, drawn, withdrawn, and over by itself."""

import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts import allowance, audit, grants, quota
from accounts.grants import BadGrant, Gift
from accounts.models import AuditEntry, Customer, Grant, Hold, Limit, Tier, User

pytestmark = pytest.mark.django_db
REASON = "The parcel came late"


def extra(amount: int = 5, days: float = 1, **changed: object) -> Gift:
    ends = timezone.now() + timedelta(days=days)
    return Gift(
        **{"kind": "extra", "metric": "messages", "model_class": "", **changed},
        amount=Decimal(amount),
        expires_at=ends,
    )


@pytest.fixture
def used_up(alice: Customer, free: Tier) -> Customer:
    Limit.objects.update(amount=1)
    use = uuid.uuid4()
    quota.hold(use, alice, seconds=60)
    quota.settle(use)
    return alice


def test_grant_is_drawn_when_the_own_limit_is_full(used_up: Customer, bob: User) -> None:
    assert allowance.of(used_up).exhausted
    grant = grants.give(used_up, extra(1), f"  {REASON}\n", bob)
    assert not allowance.of(used_up).exhausted
    quota.hold(uuid.uuid4(), used_up, seconds=60)
    grant.refresh_from_db()
    assert (grant.held, grants.left(grant), grant.reason, grant.given_by) == (1, 0, REASON, "Bob")
    with pytest.raises(quota.Exhausted):
        quota.hold(uuid.uuid4(), used_up, seconds=60)


def test_giving_and_withdrawing_are_recorded_with_reason(alice: Customer, bob: User, dana: User) -> None:
    grant = grants.give(alice, extra(5), REASON, bob)
    grants.withdraw(grant.id, dana, "Given by mistake")
    given, withdrawn = AuditEntry.objects.order_by("number")
    assert (given.action, given.actor_name, audit.reason(given)) == ("grant_given", "Bob", REASON)
    assert (given.detail["before"], given.detail["after"]["amount"]) == ({}, "5")
    assert (withdrawn.action, withdrawn.actor_name) == ("grant_withdrawn", "Dana")
    assert audit.reason(withdrawn) == "Given by mistake"
    assert withdrawn.detail["before"]["withdrawn_at"] is None
    assert withdrawn.detail["after"]["withdrawn_at"]
    assert {entry.subject for entry in (given, withdrawn)} == {f"customer:{alice.id}"}


def test_withdrawn_grant_keeps_what_was_used_and_what_is_held_goes_on(used_up: Customer, bob: User) -> None:
    grant = grants.give(used_up, extra(3), REASON, bob)
    use, held = uuid.uuid4(), uuid.uuid4()
    for one in (use, held):
        quota.hold(one, used_up, seconds=60)
    quota.settle(use)
    grant = grants.withdraw(grant.id, bob, "Given by mistake")
    assert (grants.left(grant), grants.in_force(grant)) == (0, False)
    with pytest.raises(quota.Exhausted):
        quota.hold(uuid.uuid4(), used_up, seconds=60)
    quota.settle(held)
    grant.refresh_from_db()
    assert (grant.settled, grant.held) == (2, 0)
    assert Hold.objects.get(use=held, grant=grant).state == "settled"
    with pytest.raises(BadGrant, match="over already"):
        grants.withdraw(grant.id, bob, "Once more")


def test_expired_grant_gives_nothing_more(used_up: Customer, bob: User) -> None:
    grant = grants.give(used_up, extra(3), REASON, bob)
    Grant.objects.update(expires_at=timezone.now())
    grant.refresh_from_db()
    assert grants.left(grant) == 0
    assert allowance.of(used_up).exhausted
    assert len(allowance.of(used_up).limits) == 1


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("amount", {"amount": Decimal(0)}),
        ("amount", {"amount": Decimal(-1)}),
        ("amount", {"amount": Decimal("1.5")}),
        ("amount", {"amount": Decimal("NaN")}),
        ("amount", {"amount": Decimal("Infinity")}),
        ("amount", {"amount": Decimal(100_001)}),
        ("amount", {"kind": "credit", "metric": "money", "amount": Decimal("0.0000001")}),
        ("amount", {"kind": "credit", "metric": "money", "amount": Decimal(10_001)}),
        ("expires_at", {"expires_at": timezone.now()}),
        ("expires_at", {"expires_at": timezone.now() + timedelta(days=740)}),
        ("metric", {"metric": "money"}),
        ("metric", {"kind": "gift"}),
        ("model_class", {"model_class": "huge"}),
        ("model_class", {"metric": "actions", "model_class": "large"}),
    ],
    ids=lambda value: str(value)[:60],
)
def test_wrong_gift_is_refused(field: str, wrong: dict[str, object]) -> None:
    with pytest.raises(BadGrant) as refused:
        replace(extra(), **wrong)
    assert refused.value.field == field


@pytest.mark.parametrize("reason", ["", "ok", "    a   b ", "x" * 201])
def test_nothing_is_given_without_a_reason(alice: Customer, bob: User, reason: str) -> None:
    with pytest.raises(BadGrant, match="reason"):
        grants.give(alice, extra(), reason, bob)
    assert not Grant.objects.exists()
    assert not AuditEntry.objects.exists()


def test_end_of_the_present_window_is_that_of_the_own_messages(
    alice: Customer, victor: Customer, free: Tier
) -> None:
    now = timezone.now().replace(day=5, hour=13, minute=0)
    midnight = now.replace(hour=0, second=0, microsecond=0) + timedelta(days=1)
    for period, amount in (("month", 2), ("first_use", 9)):
        hours = 3 if period == "first_use" else None
        Limit.objects.create(tier=free, period=period, hours=hours, amount=Decimal(amount))
    assert grants.end_of_window(alice, now) == midnight
    for _ in range(2):
        quota.hold(uuid.uuid4(), alice, seconds=60, now=now)
    assert grants.end_of_window(alice, now) == (now + timedelta(days=30)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    assert grants.end_of_window(victor, now) == now + timedelta(days=1)


def test_money_is_never_told_to_the_customer(alice: Customer, dana: User) -> None:
    credit = {"kind": "credit", "metric": "money"}
    Limit.objects.create(tier=alice.effective_tier, metric="money", period="month", amount=Decimal(7))
    grants.give(alice, extra(77, **credit), REASON, dana)
    grants.give(alice, extra(3), REASON, dana)
    told = allowance.of(alice).as_json()
    assert [(one["amount"], one["label"]) for one in told["limits"]] == [
        (10, "messages today"),
        (3, "extra messages"),
    ]
    assert {name for one in told["limits"] for name in one} == {"label", "used", "amount", "resets_at"}
    assert set(told) == {"limits", "exhausted"}


def test_tier_given_for_a_while_is_over_by_itself(alice: Customer, vip: Tier) -> None:
    alice.tier, alice.tier_until = vip, timezone.now() + timedelta(hours=1)
    assert alice.effective_tier == vip
    alice.tier_until = timezone.now()
    assert alice.effective_tier.slug == "free"
