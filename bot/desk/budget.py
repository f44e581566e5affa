"""Limits that many customers share, and how far each is used now."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import or_

from django.db.models import Max, Q

from accounts import limits, spending
from accounts.limits import Rule
from accounts.models import Limit, Window

SHARED = (Limit.Scope.TIER, Limit.Scope.SITE, Limit.Scope.DEPLOYMENT)
# What the next call will be held for is taken from so many before it.
_LAST_HOLDS = 20
# Holds are looked at only where a limit is used so far.
_NEARLY = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Budget:
    """One limit and its window; `window` is None before the first use of the period."""

    limit: Limit
    rule: Rule
    window: Window | None
    ends_at: datetime | None

    @property
    def used(self) -> Decimal:
        """What was used for good, without what is held for calls under way."""
        return self.window.settled if self.window else Decimal(0)

    @property
    def percent(self) -> float:
        return float(100 * self.used / self.limit.amount) if self.limit.amount else 100.0

    @property
    def full(self) -> bool:
        """Whether another use like the last ones finds no room, even with nothing under way."""
        if self.window is None or self.used >= self.limit.amount:
            return self.window is not None
        if self.used < _NEARLY * self.limit.amount:
            return False
        last = self.window.holds.order_by("-id")[:_LAST_HOLDS]
        dearest = last.aggregate(most=Max("amount"))["most"] or Decimal(0)
        return self.limit.amount - self.used < dearest


def shared(now: datetime) -> list[Budget]:
    """Of tiers, sites and the deployment; the dearest scope first."""
    rows = Limit.objects.filter(scope__in=SHARED).select_related("tier", "site")
    return sorted(
        standing(rows, now), key=lambda one: (-SHARED.index(Limit.Scope(one.limit.scope)), one.limit.id)
    )


def standing(rows: Iterable[Limit], now: datetime) -> Iterator[Budget]:
    """Each of these limits with its window around `now`, by one query."""
    zone = spending.zone()
    rules = [(limit, _rule(limit, zone)) for limit in rows]
    measures = {(rule.key, rule.subject) for _, rule in rules}
    if not measures:
        return
    wanted = reduce(or_, (Q(rule=key, subject=subject) for key, subject in measures))
    windows: dict[tuple[str, str, int | None], Window] = {}
    for window in Window.objects.filter(wanted, ends_at__gt=now).order_by("number"):
        windows[window.rule, window.subject, window.number] = window
        # From first use: the newest that has not ended.
        windows[window.rule, window.subject, None] = window
    for limit, rule in rules:
        span = rule.span(now)
        found = windows.get((rule.key, rule.subject, span.number if span else None))
        ends = span.ends_at if span else found.ends_at if found else None
        yield Budget(limit, rule, found, ends)


def _rule(limit: Limit, zone: str) -> Rule:
    return Rule(
        limit=limit.id,
        scope=limit.scope,
        metric=limit.metric,
        model_class=limit.model_class,
        model=limit.model,
        period=limit.period,
        hours=limit.hours,
        week_starts=limit.week_starts,
        amount=limit.amount,
        when_full=limit.when_full,
        words=limit.words,
        subject=_subject(limit),
        zone=zone,
    )


def _subject(limit: Limit) -> str:
    if limit.scope == Limit.Scope.TIER and limit.tier:
        return f"tier:{limit.tier.slug}"
    if limit.scope == Limit.Scope.SITE and limit.site:
        return f"site:{limit.site.key}"
    return limits.DEPLOYMENT
