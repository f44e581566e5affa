"""What one day has cost, for the deployment: by model, tier and site, never by customer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from accounts import periods, spending
from accounts.models import Limit, Site, Tier, UsageEntry
from accounts.periods import Span
from bot.desk import budget
from bot.desk.budget import Budget
from bot.models import Turn

DAYS = 14
NONE = Decimal(0)

_BY_DAY = """
SELECT (created_at AT TIME ZONE %s)::date, coalesce(sum(cost), 0)
  FROM accounts_usageentry WHERE created_at >= %s AND created_at < %s GROUP BY 1
"""
# As bot.steps.reasons writes them: another class answered because a limit was full, or nearly so.
_STEPPED_DOWN = r": (full|near) "
# As bot.steps.refusals names what limits refuse.
_REFUSED = ("usage_limit", "spending_stopped", "unpriced")


@dataclass
class Line:
    """One model, tier or site."""

    name: str
    about: str = ""
    calls: int = 0
    input: int = 0
    output: int = 0
    cost: Decimal = NONE

    def add(self, row: dict[str, Any]) -> None:
        self.calls += row["calls"]
        self.input += row["input"]
        self.output += row["output"]
        self.cost += row["cost"]


@dataclass(frozen=True)
class Ends:
    """How the day's messages ended."""

    messages: int
    stepped_down: int
    refused: int
    without_model: int
    failed: int


@dataclass(frozen=True)
class Costs:
    """One day, the days before it, and the budgets it counts in."""

    day: date
    zone: str
    whole: Line
    estimated: Decimal
    unpriced: int
    models: list[Line]
    tiers: list[Line]
    sites: list[Line]
    ends: Ends
    days: list[tuple[date, Decimal]]
    month: Decimal
    budgets: list[Budget] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """Whether there is something to tell."""
        return bool(self.whole.calls or self.ends.messages or any(cost for _, cost in self.days))


def yesterday(now: datetime) -> date:
    """The last whole day on the deployment's clocks."""
    return now.astimezone(ZoneInfo(spending.zone())).date() - timedelta(days=1)


def of(day: date) -> Costs:
    """All that the day's entries say; its budgets as they stood at its end, or stand now."""
    zone = spending.zone()
    span = _span("day", day, zone)
    rows, by_day = _rows(span), _by_day(day, zone, span.ends_at)
    names = dict(Tier.objects.values_list("slug", "name")), dict(Site.objects.values_list("key", "name"))
    return Costs(
        day=day,
        zone=zone,
        whole=_whole(rows),
        estimated=sum((row["cost"] for row in rows if row["confidence"] == "estimated"), NONE),
        unpriced=sum(row["unpriced"] for row in rows),
        models=_lines(rows, lambda row: (row["model"], row["provider"])),
        tiers=_lines(rows, lambda row: (names[0].get(row["tier"], row["tier"]), "")),
        sites=_lines(rows, lambda row: (names[1].get(row["site"], row["site"]), "")),
        ends=_ends(span),
        days=[(each, by_day.get(each, NONE)) for each in _until(day)],
        month=sum((cost for each, cost in by_day.items() if each.month == day.month), NONE),
        budgets=_budgets(span.ends_at - timedelta(seconds=1)),
    )


def _span(period: str, day: date, zone: str) -> Span:
    """Noon is in each day, whatever clocks do."""
    return periods.span(period, datetime.combine(day, time(12), ZoneInfo(zone)), zone)


def _rows(span: Span) -> list[dict[str, Any]]:
    """The day's calls, counted by all that is told apart, in one pass."""
    entries = _between(span.starts_at, span.ends_at).order_by()
    rows = entries.values("provider", "model", "tier", "site", "confidence").annotate(
        calls=Count("id"),
        input=Sum("input_tokens"),
        output=Sum("output_tokens"),
        unpriced=Count("id", filter=Q(cost__isnull=True)),
        # Last: from then on the name is the sum's.
        cost=Coalesce(Sum("cost"), NONE),
    )
    return [dict(row) for row in rows]


def _lines(rows: Iterable[dict[str, Any]], named: Callable[[dict[str, Any]], tuple[str, str]]) -> list[Line]:
    """Summed by name, the dearest first."""
    lines: dict[tuple[str, str], Line] = {}
    for row in rows:
        name = named(row)
        lines.setdefault(name, Line(*name)).add(row)
    return sorted(lines.values(), key=lambda line: (-line.cost, -line.calls, line.name))


def _whole(rows: Iterable[dict[str, Any]]) -> Line:
    whole = Line("")
    for row in rows:
        whole.add(row)
    return whole


def _ends(span: Span) -> Ends:
    """Turns are found through their conversations' activity, for which there is an index."""
    since, until = span.starts_at, span.ends_at
    turns = Turn.objects.filter(
        conversation__active_at__gte=since, queued_at__gte=since, queued_at__lt=until, answers__isnull=True
    )
    degraded = Q(outcome=Turn.Outcome.DEGRADED)
    refused = degraded & Q(reason__in=_REFUSED)
    counts = turns.aggregate(
        messages=Count("id"),
        stepped_down=Count("id", filter=Q(reason__regex=_STEPPED_DOWN)),
        refused=Count("id", filter=refused),
        without_model=Count("id", filter=degraded & ~Q(reason__in=_REFUSED)),
        failed=Count("id", filter=Q(outcome=Turn.Outcome.FAILED)),
    )
    return Ends(**counts)


def _by_day(day: date, zone: str, until: datetime) -> dict[date, Decimal]:
    """What each of the last days has cost, and each of the month so far."""
    since = _span("day", min(_until(day)[0], day.replace(day=1)), zone).starts_at
    with connection.cursor() as cursor:
        cursor.execute(_BY_DAY, [zone, since, until])
        return dict(cursor.fetchall())


def _until(day: date) -> list[date]:
    """The last days up to this one."""
    return [day - timedelta(days=back) for back in reversed(range(DAYS))]


def _between(since: datetime, until: datetime) -> QuerySet[UsageEntry]:
    return UsageEntry.objects.filter(created_at__gte=since, created_at__lt=until)


def _budgets(at: datetime) -> list[Budget]:
    return [one for one in budget.shared(at) if one.limit.metric == Limit.Metric.MONEY]
