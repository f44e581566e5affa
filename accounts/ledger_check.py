"""Whether the books agree with themselves: windows, grants, holds and usage entries of the last days.

What ended longer ago is not read again, so that a check takes no longer as the books grow. What is written to
it later, such as a call settled days late, is seen only with more days.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

DAYS = 3
# By then a call has ended or was given up for lost, and what it held has expired.
GRACE = timedelta(hours=1)
# Of each kind; whoever finds so many has seen enough.
MOST = 200


@dataclass(frozen=True)
class Difference:
    """Two numbers that ought to be one: what the books say and what it should be; None: there is none."""

    kind: str
    which: str
    metric: str
    written: Decimal | None
    expected: Decimal | None

    def __str__(self) -> str:
        return f"{self.kind}: {self.which} {self.metric}: {_plain(self.written)}, not {_plain(self.expected)}"


_PLACES = """
SELECT '{kind} ' || counted.name, {which}, {metric}, counted.written, counted.expected
  FROM {table} place
  LEFT JOIN (
      SELECT {key}, sum(amount) FILTER (WHERE state = 'held') AS held, sum(settled) AS settled,
             sum(overrun) AS overrun
        FROM accounts_hold WHERE {key} IN (SELECT id FROM {table} WHERE {ends} >= %(since)s) GROUP BY 1
  ) sums ON sums.{key} = place.id,
  LATERAL (VALUES ('held', place.held, coalesce(sums.held, 0)),
                  ('settled', place.settled, coalesce(sums.settled, 0)),
                  ('overrun', place.overrun, coalesce(sums.overrun, 0))) counted (name, written, expected)
 WHERE place.{ends} >= %(since)s AND counted.written <> counted.expected
 ORDER BY place.{ends}, place.id LIMIT %(most)s
"""
_WINDOWS = _PLACES.format(
    kind="window",
    which="place.subject || ' from ' || place.starts_at",
    metric="place.rule",
    table="accounts_window",
    key="window_id",
    ends="ends_at",
)
_GRANTS = _PLACES.format(
    kind="grant",
    which="place.id::text",
    metric="place.metric",
    table="accounts_grant",
    key="grant_id",
    ends="expires_at",
)
# The customer's own windows and grants count a call together; the windows of many count it whole.
_CALLS = """
SELECT 'call', entry.call::text, h.metric || ' in ' || w.subject, counted.written, counted.expected
  FROM accounts_usageentry entry
  JOIN accounts_hold h ON h.use = entry.call
  JOIN accounts_window w ON w.id = h.window_id
  LEFT JOIN (
      SELECT use, metric, sum(settled) AS settled FROM accounts_hold
       WHERE grant_id IS NOT NULL GROUP BY use, metric
  ) credit ON credit.use = h.use AND credit.metric = h.metric AND w.subject LIKE 'customer:%%',
  LATERAL (SELECT h.settled + coalesce(credit.settled, 0) AS written,
                  CASE h.metric WHEN 'input_tokens' THEN entry.input_tokens
                                WHEN 'output_tokens' THEN entry.output_tokens
                                WHEN 'total_tokens' THEN entry.input_tokens + entry.output_tokens
                                ELSE coalesce(entry.cost, 0) END AS expected) counted
 WHERE entry.created_at >= %(since)s AND entry.outcome <> 'open' AND counted.written <> counted.expected
 ORDER BY entry.id LIMIT %(most)s
"""
_LEFT_OPEN = """
SELECT 'call left open', call::text, model, NULL, NULL FROM accounts_usageentry
 WHERE created_at BETWEEN %(since)s AND %(before)s AND outcome = 'open' ORDER BY id LIMIT %(most)s
"""
_STILL_HELD = """
SELECT 'still held', use::text, metric, amount, 0 FROM accounts_hold
 WHERE state = 'held' AND expires_at < %(before)s ORDER BY id LIMIT %(most)s
"""
# A call's hold and its entry are written by one statement.
_WITHOUT_ENTRY = """
SELECT 'hold without a call', h.use::text, h.metric, h.amount, NULL FROM accounts_hold h
 WHERE h.created_at >= %(since)s AND h.metric NOT IN ('messages', 'actions')
   AND NOT EXISTS (SELECT 1 FROM accounts_usageentry entry WHERE entry.call = h.use)
 ORDER BY h.id LIMIT %(most)s
"""
_CHECKS = (_WINDOWS, _GRANTS, _CALLS, _LEFT_OPEN, _STILL_HELD, _WITHOUT_ENTRY)


def differences(now: datetime, days: int = DAYS) -> list[Difference]:
    """What does not agree among what ended or was charged in the last days; at most MOST of each kind.

    Each kind is read by one statement, so that what happens meanwhile is seen whole or not at all.
    """
    facts: dict[str, Any] = {"since": now - timedelta(days=days), "before": now - GRACE, "most": MOST}
    found: list[Any] = []
    for check in _CHECKS:
        with connection.cursor() as cursor:
            cursor.execute(check, facts)
            found += cursor.fetchall()
    return [Difference(*row) for row in found]


def _plain(amount: Decimal | None) -> str:
    return "none" if amount is None else f"{Decimal(amount).normalize():f}"
