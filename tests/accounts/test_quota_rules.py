"""I5 against a plain model of it: whatever is done in whatever order, the ledger agrees."""

import uuid
from datetime import UTC, datetime, timedelta

import hypothesis
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from accounts import quota
from accounts.models import Customer, Hold, Site, Tier, Window

AMOUNT, SHARE, SECONDS = 3, 4, 60
USES = [uuid.UUID(int=n) for n in range(1, 7)]
START = datetime(2026, 3, 29, 23, 57, tzinfo=UTC)  # so that midnight comes in the middle


class Ledger:
    """What should be counted, told without SQL: each use's latest hold, and the counts of each window."""

    def __init__(self) -> None:
        self.latest: dict[uuid.UUID, tuple[list[tuple[str, object]], str, datetime]] = {}
        self.held: dict[tuple[str, object], int] = {}
        self.settled: dict[tuple[str, object], int] = {}
        self.overrun: dict[tuple[str, object], int] = {}

    def hold(self, use: uuid.UUID, who: int, now: datetime) -> bool:
        if use in self.latest and self.latest[use][1] in ("held", "settled"):
            return True
        windows: list[tuple[str, object]] = [(f"customer {who}", now.date()), ("network", now.date())]
        for window, amount in zip(windows, (AMOUNT, SHARE), strict=True):
            if self.held.get(window, 0) + self.settled.get(window, 0) + 1 > amount:
                return False
        for window in windows:
            self.held[window] = self.held.get(window, 0) + 1
        self.latest[use] = (windows, "held", now + timedelta(seconds=SECONDS))
        return True

    def end(self, use: uuid.UUID, state: str) -> None:
        if use not in self.latest:
            return
        windows, was, expires = self.latest[use]
        if was != "held" and not (was == "expired" and state == "settled"):
            return
        self.latest[use] = (windows, state, expires)
        for window in windows:
            self.held[window] -= was == "held"
            self.settled[window] = self.settled.get(window, 0) + (state == "settled")
            self.overrun[window] = self.overrun.get(window, 0) + (was == "expired")

    def expire(self, now: datetime) -> int:
        due = [use for use, (_, state, end) in self.latest.items() if state == "held" and end <= now]
        for use in due:
            self.end(use, "expired")
        return 2 * len(due)


steps = st.lists(
    st.tuples(
        st.sampled_from(["hold", "hold", "hold", "settle", "release", "expire"]),
        st.sampled_from(USES),
        st.integers(0, 45),
    ),
    max_size=25,
)


@pytest.mark.django_db
@given(steps)
@hypothesis.settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_ledger_agrees_with_the_rules_whatever_happens(site: Site, free: Tier, settings, steps):
    settings.ANONYMOUS_PER_ADDRESS = SHARE
    with transaction.atomic():
        free.limits.update(amount=AMOUNT)
        visitors = [Customer.objects.create(site=site, address="a" * 32) for _ in range(2)]
        ledger, now = Ledger(), START
        for do, use, seconds in steps:
            who = use.int % 2
            now += timedelta(seconds=seconds, microseconds=1)
            if do == "hold":
                assert _granted(use, visitors[who], now) == ledger.hold(use, who, now)
            elif do == "expire":
                assert quota.expire(now) == ledger.expire(now)
            else:
                {"settle": quota.settle, "release": quota.release}[do](use)
                ledger.end(use, "settled" if do == "settle" else "released")
            _compare(ledger, visitors)
        quota.expire(now + timedelta(hours=1))
        assert not Window.objects.exclude(held=0).exists()
        transaction.set_rollback(True)


def _granted(use: uuid.UUID, customer: Customer, now: datetime) -> bool:
    try:
        quota.hold(use, customer, seconds=SECONDS, now=now)
    except quota.Exhausted:
        return False
    return True


def _compare(ledger: Ledger, visitors: list[Customer]) -> None:
    names = {f"customer:{visitor.id}": f"customer {n}" for n, visitor in enumerate(visitors)}
    for window in Window.objects.all():
        known = (names.get(window.subject, "network"), window.starts_at.date())
        counts = (window.held, window.settled, window.overrun)
        assert counts == tuple(d.get(known, 0) for d in (ledger.held, ledger.settled, ledger.overrun))
        amount = SHARE if known[0] == "network" else AMOUNT
        assert window.held + window.settled <= amount + window.overrun
        assert window.held == Hold.objects.filter(window=window, state="held").count()
        assert window.settled == Hold.objects.filter(window=window, state="settled").count()
