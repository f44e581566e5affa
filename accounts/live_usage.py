"""How far limits are used at this moment, for admins."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts import books, periods, spending
from accounts.limits import DEPLOYMENT, Rule, at_site
from accounts.models import Limit, Tier

LEVELS = (50, 80, 100)
_MOST_TOLD = 5

# Windows are found by their end, for which there is an index: past ones are never read.
_OPEN = """
SELECT held, settled, ends_at FROM accounts_window
 WHERE rule = %(rule)s AND subject = %(subject)s AND starts_at <= %(now)s AND ends_at > %(now)s
   AND (%(number)s::bigint IS NULL OR number = %(number)s)
 ORDER BY number DESC LIMIT 1
"""
_SPREAD = """
SELECT count(*), count(*) FILTER (WHERE used >= 0.5 * %(amount)s),
       count(*) FILTER (WHERE used >= 0.8 * %(amount)s), count(*) FILTER (WHERE used >= %(amount)s)
  FROM (SELECT w.held + w.settled AS used, w.subject FROM accounts_window w
         WHERE w.rule = %(rule)s AND w.subject ~ %(subjects)s
           AND w.ends_at > %(now)s AND w.ends_at <= %(last)s
           AND (%(number)s::bigint IS NULL OR w.number = %(number)s) AND w.held + w.settled > 0) counted
"""
_OF_TIER = """
  JOIN accounts_customer c
    ON c.id = CASE WHEN counted.subject LIKE 'customer:%%' THEN substr(counted.subject, 10)::uuid END
  JOIN accounts_site s ON s.id = c.site_id
 WHERE coalesce(CASE WHEN c.tier_until IS NULL OR c.tier_until > %(now)s THEN c.tier_id END, c.token_tier_id,
                s.default_tier_id) = %(tier)s
"""
# Added up once, and told in two orders.
_TOP = """
WITH used AS MATERIALIZED (
    SELECT customer, count(DISTINCT turn) AS messages, coalesce(sum(cost), 0) AS cost,
           count(*) FILTER (WHERE cost IS NULL) AS unpriced
      FROM accounts_usageentry
     WHERE tier = %(tier)s AND created_at >= %(since)s
     GROUP BY customer)
(SELECT 'messages', used.* FROM used ORDER BY messages DESC, customer LIMIT %(most)s)
UNION ALL
(SELECT 'cost', used.* FROM used WHERE cost > 0 ORDER BY cost DESC, customer LIMIT %(most)s)
"""


@dataclass(frozen=True)
class Bar:
    """The window that a tier, a site or the deployment counts in now."""

    settled: Decimal
    held: Decimal
    amount: Decimal
    resets_at: datetime | None
    warn_at: list[int]

    @property
    def percent(self) -> int:
        return int((self.settled + self.held) * 100 / self.amount) if self.amount else 100


@dataclass(frozen=True)
class Spread:
    """How many customers, or addresses, count in a window now, and how many have used half, 80% and all."""

    counted: int
    half: int
    most: int
    full: int


@dataclass(frozen=True)
class Heavy:
    """One of the customers who use most."""

    customer: UUID
    messages: int
    cost: Decimal
    unpriced: int


def of(limit: Limit, now: datetime | None = None, zone: str | None = None) -> Bar | Spread:
    """How far a limit that is stored is used."""
    now, zone = now or timezone.now(), zone or spending.zone()
    if limit.scope in (Limit.Scope.CUSTOMER, Limit.Scope.ADDRESS):
        return _spread(limit, now, zone)
    return _bar(limit, now, zone)


def top(tier: Tier, now: datetime | None = None) -> tuple[list[Heavy], list[Heavy]]:
    """Who used the tier most since the month began: by messages, and by cost."""
    since = periods.span(Limit.Period.MONTH, now or timezone.now(), spending.zone()).starts_at
    rows = _rows(_TOP, {"tier": tier.slug, "since": since, "most": _MOST_TOLD})
    by_messages, by_cost = ([Heavy(*row[1:]) for row in rows if row[0] == by] for by in ("messages", "cost"))
    return by_messages, by_cost


def rule(limit: Limit, zone: str) -> Rule:
    """The limit as it is counted, for the subject that it counts together."""
    subjects = {
        Limit.Scope.TIER.value: f"tier:{limit.tier.slug}" if limit.tier else "",
        Limit.Scope.SITE.value: f"site:{limit.site.key}" if limit.site else "",
        Limit.Scope.DEPLOYMENT.value: DEPLOYMENT,
    }
    return replace(books.rule_of(limit, zone), subject=subjects.get(limit.scope, ""))


def _bar(limit: Limit, now: datetime, zone: str) -> Bar:
    counted = rule(limit, zone)
    span = counted.span(now)
    facts = {
        "rule": counted.key,
        "subject": counted.subject,
        "number": span and span.number,
        "now": now,
    }
    rows = _rows(_OPEN, facts)
    held, settled, ends = rows[0] if rows else (Decimal(0), Decimal(0), span and span.ends_at)
    return Bar(settled, held, limit.amount, ends, sorted(limit.warn_at))


def _spread(limit: Limit, now: datetime, zone: str) -> Spread:
    counted = rule(limit, zone)
    span = counted.span(now)
    facts: dict[str, Any] = {
        "rule": counted.key,
        "subjects": _subjects(limit),
        "number": span and span.number,
        "now": now,
        "last": span.ends_at if span else datetime.max.replace(tzinfo=now.tzinfo),
        "amount": limit.amount,
        "tier": limit.tier_id,
    }
    sql = _SPREAD + _OF_TIER if limit.scope == Limit.Scope.CUSTOMER else _SPREAD
    return Spread(*_rows(sql, facts)[0])


def _subjects(limit: Limit) -> str:
    """The subjects of its windows, as a pattern."""
    if limit.scope == Limit.Scope.CUSTOMER:
        return "^customer:"
    return "^" + at_site("address:[^:]*$", limit.site_id) if limit.site_id else "^address:[^:]*$"


def _rows(sql: str, facts: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, facts)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
