"""What the admins are told of limits and their windows: how far shared ones are used, and what overran."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F, Max, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts import ledger_check, spending
from accounts.models import Grant, Limit, Window
from bot.desk import budget, budget_names
from bot.desk.budget import Budget
from bot.desk.reading import Reading

_EACH = ("customer:", "address:")
# Calls of workers that died are charged when others are back: as long as the books are checked.
_LATE = timedelta(days=ledger_check.DAYS)
_LAST_OVERRUN = Max("holds__created_at", filter=Q(holds__overrun__gt=0))


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
    """Where more was used than was held: in shared windows singly, of each customer together for a day.

    A day is that of the hold, so that what was told is not told again while its window or grant lasts.
    """
    zone, each = spending.zone(), defaultdict[tuple[date, str], list[Window]](list)
    for window in _overrun_windows(now):
        if window.subject.startswith(_EACH):
            each[window.held_at.date(), window.rule].append(window)
        else:
            named = budget_names.window_facts(window, zone) | {"whose": "one window"}
            yield _overrun(str(window.id), window.overrun, named)
    for (day, rule), windows in each.items():
        what, metric = budget_names.measure(rule)
        named = {"limit": f"Each customer, {what}"}
        yield _worst(f"{day} {rule}", metric, [one.overrun for one in windows], named | {"of": "windows"})
    yield from _of_grants(now)


def _of_grants(now: datetime) -> Iterator[Reading]:
    each = defaultdict[tuple[date, str], list[Decimal]](list)
    lately = Grant.objects.filter(overrun__gt=0, expires_at__gt=now - _LATE)
    for grant in lately.annotate(held_at=Coalesce(_LAST_OVERRUN, F("created_at"))).order_by("id"):
        each[grant.held_at.date(), grant.metric].append(grant.overrun)
    for (day, metric), over in each.items():
        named = {"limit": f"Grants to customers, {budget_names.counted(metric)}", "of": "grants"}
        yield _worst(f"{day} grants:{metric}", metric, over, named)


def _overrun_windows(now: datetime) -> QuerySet[Any]:
    """Those open, and those that ended a while ago: what was under way then is settled later."""
    lately = Window.objects.filter(overrun__gt=0, ends_at__gt=now - _LATE)
    return lately.annotate(held_at=Coalesce(_LAST_OVERRUN, F("starts_at"))).order_by("id")


def _worst(subject: str, metric: str, over: list[Decimal], named: dict[str, Any]) -> Reading:
    """What customers have used too much, without whose it is."""
    whose = f"the worst of {len(over)} {named.pop('of')}"
    told = named | {"over": budget_names.much(metric, max(over)), "whose": whose}
    return _overrun(subject[:160], max(over), told)


def _overrun(subject: str, over: Decimal, named: dict[str, Any]) -> Reading:
    return Reading(subject, float(over), 0, crossed=True, back=False, facts=named, once=True)
