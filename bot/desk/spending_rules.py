"""What the admins are told of money: unusual calls and hours, models without a price, a stop."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from statistics import median
from zoneinfo import ZoneInfo

from django.db import connection

from accounts import spending
from accounts.models import CLASSES, Limit, UsageEntry
from bot import unpriced as prices_missing
from bot.desk.budget_names import moment
from bot.desk.dollars import dollars
from bot.desk.reading import Reading

_HOUR = timedelta(hours=1)
# A call is unusual above so many times what 95 % of its model's calls of the last days cost, and so much.
CALL_TIMES = 10
CALL_LEAST = Decimal("0.05")
CALL_DAYS = 7
# What is usual is not known from fewer calls.
LEAST_CALLS = 20
# An hour is unusual above so many times what the same hour of past days cost, and so much.
HOUR_TIMES = 3
HOUR_LEAST = Decimal("0.50")
PAST_DAYS = 14
LEAST_DAYS = 2

_USUAL_CALL = """
SELECT count(*), percentile_cont(0.95) WITHIN GROUP (ORDER BY cost)
  FROM accounts_usageentry
 WHERE created_at >= %s AND created_at < %s AND provider = %s AND model = %s AND cost > 0
"""
_SPENT = """
SELECT hour.since, (SELECT coalesce(sum(cost), 0) FROM accounts_usageentry
                     WHERE created_at >= hour.since AND created_at < hour.since + interval '1 hour')
  FROM unnest(%(hours)s::timestamptz[]) AS hour(since) ORDER BY 1
"""


def dear_calls(now: datetime) -> Iterator[Reading]:
    """By model, dollars of the last hour's dearest call, where it is far above what is usual."""
    today = now.date()
    rows = UsageEntry.objects.filter(created_at__gte=now - _HOUR, cost__gt=CALL_LEAST).order_by("cost")
    found = {}
    for entry in rows.only("id", "provider", "model", "cost"):
        usual = _usual_call(entry.provider, entry.model, today)
        if usual and entry.cost and entry.cost > CALL_TIMES * usual:
            found[f"{entry.provider}: {entry.model}"] = (entry, entry.cost, usual)
    for subject, (entry, cost, usual) in found.items():
        facts = {
            "entry": entry.id,
            "cost": dollars(cost),
            "usual": dollars(usual),
            "times": f"{cost / usual:.0f}",
        }
        yield Reading(subject, float(cost), float(CALL_TIMES * usual), crossed=True, back=False, facts=facts)


@lru_cache(maxsize=100)
def _usual_call(provider: str, model: str, today: date) -> Decimal | None:
    """What 95 % of the calls of the last whole days have cost at most; it reads them once a day."""
    until = datetime.combine(today, datetime.min.time(), ZoneInfo("UTC"))
    since = until - timedelta(days=CALL_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(_USUAL_CALL, [since, until, provider, model])
        count, cost = cursor.fetchone()
    return Decimal(cost) if count >= LEAST_CALLS else None


def dear_hours(now: datetime) -> Iterator[Reading]:
    """Dollars of the last 60 minutes, against the same hour of past days."""
    usual = _usual_hour(now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0))
    if usual is None:
        return
    bound = max(HOUR_LEAST, HOUR_TIMES * usual)
    spent = _spent([now - _HOUR])[0]
    facts = {"spent": dollars(spent), "usual": dollars(usual), "at": dollars(bound)}
    yield Reading("", float(spent), float(bound), spent > bound, back=spent <= bound * 2 / 3, facts=facts)


@lru_cache(maxsize=1)
def _usual_hour(ends: datetime) -> Decimal | None:
    """The median of past days, by the deployment's clocks; None without two whole days of history."""
    local = ends.astimezone(ZoneInfo(spending.zone()))
    hours = [
        (local - timedelta(days=back)).astimezone(ZoneInfo("UTC")) - _HOUR for back in range(1, PAST_DAYS + 1)
    ]
    first = UsageEntry.objects.order_by("created_at").values_list("created_at", flat=True).first()
    known = [since for since in hours if first and first <= since]
    return median(_spent(known)) if len(known) >= LEAST_DAYS else None


def _spent(hours: list[datetime]) -> list[Decimal]:
    """Dollars in each of the hours that begin then."""
    with connection.cursor() as cursor:
        cursor.execute(_SPENT, {"hours": hours})
        return [cost for _, cost in cursor.fetchall()]


def unpriced(now: datetime) -> Iterator[Reading]:
    """Models in use whose price nobody knows, while a limit counts their money."""
    if names := prices_missing.names(_counted()):
        told = ", ".join(names)
        facts = {"models": told, "are": "has" if len(names) == 1 else "have"}
        yield Reading(told[:160], len(names), 0, crossed=True, back=False, facts=facts)


def _counted() -> set[str]:
    """Classes that somebody may use whose money is limited."""
    money = Limit.objects.filter(metric=Limit.Metric.MONEY).select_related("tier")
    return {name for limit in money for name in (limit.tier.classes if limit.tier else CLASSES)}


def stopped(now: datetime) -> Iterator[Reading]:
    """The switch that stops all spending, from when it is thrown until it is taken back."""
    row = spending.stopped()
    if row and row.stopped_at:
        facts = {
            "by": row.stopped_by or "Somebody",
            "reason": row.stop_reason or "no reason was given",
            "since": moment(row.stopped_at, row.time_zone),
        }
        yield Reading(row.stopped_at.isoformat(), 1, 0, crossed=True, back=False, facts=facts)
