"""What the admins are told of limits and their windows: how far shared ones are used, and what overran."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q

from accounts import spending
from accounts.models import Limit, Window
from bot.desk import budget, budget_names
from bot.desk.budget import Budget
from bot.desk.reading import Reading

_EACH_CUSTOMERS = Q(subject__startswith="customer:") | Q(subject__startswith="address:")


def thresholds(now: datetime) -> Iterator[Reading]:
    """Each percent at which a shared limit warns, once in a window and for an amount."""
    for one in budget.shared(now):
        if one.window and one.limit.amount:
            yield from _percents(one, one.window)


def _percents(one: Budget, window: Window) -> Iterator[Reading]:
    """The highest percent that is crossed has an e-mail; it tells of those below, too."""
    amount = one.limit.amount
    asked = sorted(set(one.limit.warn_at))
    crossed = [percent for percent in asked if _reached(one, percent)]
    named = budget_names.facts(one)
    for percent in asked:
        below = {"told_with": crossed[-1]} if crossed and percent < crossed[-1] else {}
        yield Reading(
            subject=f"{one.limit.id}:{percent}:{window.id}:{amount.normalize():f}",
            value=float(one.used),
            bound=float(amount * percent / 100),
            crossed=percent in crossed,
            # It stays open until its window ends: then it is not read any more.
            back=False,
            facts=named | _told(one, percent) | below,
            once=True,
        )


def _told(one: Budget, percent: int) -> dict[str, Any]:
    metric, then = one.limit.metric, budget_names.THEN[Limit.WhenFull(one.limit.when_full)]
    return {
        "percent": percent,
        "at": budget_names.much(metric, one.limit.amount * percent / 100),
        "next": f"There is no room for another use like the last ones: {then}."
        if percent == 100
        else f"At 100 % {then}.",
    }


def _reached(one: Budget, percent: int) -> bool:
    return one.used * 100 >= one.limit.amount * percent or (percent == 100 and one.full)


def overruns(now: datetime) -> Iterator[Reading]:
    """Windows that have used more than was held: shared ones singly, those of each customer once a day."""
    zone = spending.zone()
    over = Window.objects.filter(ends_at__gt=now, overrun__gt=0)
    for window in over.exclude(_EACH_CUSTOMERS).order_by("id"):
        named = budget_names.window_facts(window, zone)
        yield _overrun(str(window.id), window.overrun, named | {"whose": "one window"})
    each = over.filter(_EACH_CUSTOMERS).order_by("rule").values_list("rule")
    for rule, count, most in each.annotate(Count("id"), Max("overrun")):
        what, metric = budget_names.measure(rule)
        named = {"limit": f"Each customer, {what}", "over": budget_names.much(metric, most), "ends": ""}
        yield _overrun(
            f"{now:%Y-%m-%d} {rule}"[:160], most, named | {"whose": f"the worst of {count} windows"}
        )


def _overrun(subject: str, over: Decimal, named: dict[str, Any]) -> Reading:
    return Reading(subject, float(over), 0, crossed=True, back=False, facts=named, once=True)
