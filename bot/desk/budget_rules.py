"""What the admins are told of limits and their windows: how far shared ones are used, and what overran."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts import spending
from accounts.models import Limit, Window
from bot.desk import budget, budget_names
from bot.desk.budget import Budget
from bot.desk.reading import Reading

_EACH = ("customer:", "address:")


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
    zone, each = spending.zone(), defaultdict[str, list[Decimal]](list)
    for window in Window.objects.filter(ends_at__gt=now, overrun__gt=0).order_by("id"):
        if window.subject.startswith(_EACH):
            each[window.rule].append(window.overrun)
        else:
            named = budget_names.window_facts(window, zone) | {"whose": "one window"}
            yield _overrun(str(window.id), window.overrun, named)
    for rule, over in each.items():
        what, metric = budget_names.measure(rule)
        most, whose = max(over), f"the worst of {len(over)} windows"
        named = {"limit": f"Each customer, {what}", "over": budget_names.much(metric, most), "whose": whose}
        yield _overrun(f"{now:%Y-%m-%d} {rule}"[:160], most, named)


def _overrun(subject: str, over: Decimal, named: dict[str, Any]) -> Reading:
    return Reading(subject, float(over), 0, crossed=True, back=False, facts=named, once=True)
