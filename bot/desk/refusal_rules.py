"""Whether a limit refuses many customers at once: then it is wrong, or something else is."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from accounts import limits, quota, spending
from accounts.limits import Rule
from accounts.models import Customer, Limit, Tier
from bot.desk import budget_names
from bot.desk.reading import Reading

# So many customers, and so many percent of a tier's active ones, are many.
LEAST_REFUSED = 5
MANY_PERCENT = 20
# By so many of them it is judged which limit refused.
_LOOKED_AT = 100
# A window that is used less than that has refused nobody.
_NEARLY = Decimal("0.5")

# By tier: customers who wrote in the last hour, and those of them whom a limit refused.
_OF_LAST_HOUR = """
SELECT coalesce(
         CASE WHEN customer.tier_until IS NULL OR customer.tier_until > %(now)s THEN customer.tier_id END,
         customer.token_tier_id, site.default_tier_id),
       count(DISTINCT customer.id),
       array_agg(DISTINCT customer.id)
         FILTER (WHERE turn.outcome = 'degraded' AND turn.reason LIKE 'usage_limit%%')
  FROM bot_turn turn
  JOIN bot_conversation conversation ON conversation.id = turn.conversation_id
  JOIN accounts_customer customer ON customer.id = conversation.customer_id
  JOIN accounts_site site ON site.id = customer.site_id
 WHERE conversation.active_at >= %(since)s AND turn.queued_at >= %(since)s AND turn.answers_id IS NULL
 GROUP BY 1
"""


def many(now: datetime) -> Iterator[Reading]:
    """By limit and tier, percent of the last hour's customers whom it refused."""
    if spending.stopped():
        # Then everybody is refused, and told so by another rule.
        return
    with connection.cursor() as cursor:
        cursor.execute(_OF_LAST_HOUR, {"now": now, "since": now - timedelta(hours=1)})
        rows = cursor.fetchall()
    for tier, active, customers in rows:
        if customers and _are_many(len(customers), active):
            yield from _by_limit(Tier.objects.get(id=tier), active, customers, now)


def _are_many(count: int, active: int) -> bool:
    return count >= LEAST_REFUSED and 100 * count > MANY_PERCENT * active


def _by_limit(tier: Tier, active: int, customers: list[UUID], now: datetime) -> Iterator[Reading]:
    seen = customers[:_LOOKED_AT]
    people = Customer.objects.filter(id__in=seen).select_related("tier", "token_tier", "site__default_tier")
    rules = [rule for customer in people if (rule := _fullest(customer, now))]
    named = _names(rules)
    for limit, times in Counter(rule.limit for rule in rules).items():
        count = times * len(customers) // len(seen)
        yield Reading(
            subject=f"{limit or 'address'}:{tier.slug}",
            value=100 * count / active,
            bound=MANY_PERCENT,
            crossed=_are_many(count, active),
            back=not _are_many(count, active),
            facts=named[limit]
            | {
                "tier": tier.name,
                "tier_id": tier.id,
                "tier_slug": tier.slug,
                "refused": count,
                "active": active,
            },
        )


def _fullest(customer: Customer, now: datetime) -> Rule | None:
    """The rule whose window is used furthest: the likeliest to have refused."""
    rules = [rule for rule in limits.binding(customer, now).rules if rule.amount]
    standings = quota.standing(limits.ordered(rules), now)
    fullest = max(standings, key=lambda one: one.used / one.rule.amount, default=None)
    return fullest.rule if fullest and fullest.used >= _NEARLY * fullest.rule.amount else None


def _names(rules: list[Rule]) -> dict[int | None, dict[str, Any]]:
    """Of each rule, by its limit; what the environment allows has none."""
    ids = {rule.limit for rule in rules if rule.limit}
    rows = Limit.objects.select_related("tier", "site").in_bulk(ids)
    named: dict[int | None, dict[str, Any]] = {}
    for rule in rules:
        row = rows.get(rule.limit or 0)
        named[rule.limit] = budget_names.limit_facts(row) if row else budget_names.rule_facts(rule)
    return named
