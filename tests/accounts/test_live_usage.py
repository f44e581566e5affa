"""How far limits are used now: windows of the present alone, and customers of the tier alone."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts import identity, live_usage
from accounts.limits import Rule
from accounts.live_usage import Bar, Spread
from accounts.models import Customer, Limit, Site, Tier, UsageEntry, Window

NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)


def window(rule: Rule, subject: str, used: int, *, days_ago: int = 0, held: int = 0) -> None:
    span = rule.span(NOW - timedelta(days=days_ago))
    starts, ends = (span.starts_at, span.ends_at) if span else (NOW, NOW + timedelta(hours=rule.hours or 0))
    Window.objects.create(
        rule=rule.key, subject=subject, number=span.number if span else 1 + days_ago, starts_at=starts,
        ends_at=ends - timedelta(days=0 if span else days_ago), settled=used, held=held,
    )  # fmt: skip


def test_bar_shows_the_present_window_of_the_deployment(site: Site) -> None:
    limit = Limit.objects.create(scope="deployment", metric="money", amount=20, warn_at=[80, 70])
    rule = live_usage.rule(limit, "UTC")
    window(rule, "deployment", 19, days_ago=1)
    assert live_usage.of(limit, NOW) == Bar(
        Decimal(0), Decimal(0), Decimal(20), datetime(2026, 3, 11, tzinfo=UTC), [70, 80]
    )
    window(rule, "deployment", 14, held=1)
    bar = live_usage.of(limit, NOW)
    assert isinstance(bar, Bar)
    assert (bar.settled, bar.held, bar.percent) == (14, 1, 75)


@pytest.mark.parametrize("limit_values", [{"period": "day"}, {"period": "first_use", "hours": 3}], ids=str)
def test_spread_counts_customers_of_the_tier_by_their_present_window(
    site: Site, free: Tier, plus: Tier, carol: Customer, limit_values: dict[str, Any]
) -> None:
    limit = Limit.objects.create(tier=free, amount=10, metric="actions", **limit_values)
    rule = live_usage.rule(limit, "UTC")
    for number, used in enumerate((1, 5, 8, 10, 11)):
        customer = identity.known_as(site, f"visitor-{number}")
        window(rule, f"customer:{customer.id}", used)
        window(rule, f"customer:{customer.id}", 10, days_ago=2)
    window(rule, f"customer:{carol.id}", 10)  # in Plus
    window(rule, f"customer:{uuid.uuid4()}", 10)  # whom nobody knows any more
    assert live_usage.of(limit, NOW) == Spread(counted=5, half=4, most=3, full=2)
    lent = identity.known_as(site, "visitor-4")
    lent.tier, lent.tier_until = plus, NOW + timedelta(days=1)
    lent.save()
    assert live_usage.of(limit, NOW) == Spread(counted=4, half=3, most=2, full=1)
    assert live_usage.of(limit, NOW + timedelta(days=30)) == Spread(0, 0, 0, 0)


def test_spread_counts_the_addresses_of_one_site_apart(site: Site) -> None:
    everywhere = Limit.objects.create(scope="address", amount=10)
    here = Limit.objects.create(scope="address", site=site, amount=10)
    rule = live_usage.rule(here, "UTC")
    for subject, used in ((f"address:{site.id}:f00d", 10), ("address:f00d", 1), ("address:beef", 5)):
        window(rule, subject, used)
    assert live_usage.of(here, NOW) == Spread(counted=1, half=1, most=1, full=1)
    assert live_usage.of(everywhere, NOW) == Spread(counted=2, half=1, most=0, full=0)


def entry(customer: Customer, cost: str | None, turn: uuid.UUID, tier: str = "free", month: int = 3) -> None:
    made = UsageEntry.objects.create(
        turn=turn, customer=customer.id, tier=tier, cost=cost and Decimal(cost), confidence="exact"
    )
    UsageEntry.objects.filter(pk=made.pk).update(created_at=datetime(2026, month, 2, tzinfo=UTC))


def test_top_customers_are_told_by_turns_and_by_cost(
    alice: Customer, carol: Customer, victor: Customer, free: Tier
) -> None:
    once = uuid.uuid4()
    entry(alice, "0.01", once)
    entry(alice, "0.01", once)  # the same turn, another round
    for _ in range(2):
        entry(carol, None, uuid.uuid4())
    entry(alice, "5", uuid.uuid4(), month=2)
    entry(victor, "9", uuid.uuid4(), tier="vip")
    by_messages, by_cost = live_usage.top(free, NOW)
    assert [(one.customer, one.messages, one.unpriced) for one in by_messages] == [
        (carol.id, 2, 2), (alice.id, 1, 0),
    ]  # fmt: skip
    assert [(one.customer, one.cost) for one in by_cost] == [(alice.id, Decimal("0.02"))]
