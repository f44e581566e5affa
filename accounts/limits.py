"""Which limits bind a customer, and the window each of them counts in."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import periods
from accounts.models import Customer, Limit
from accounts.periods import Span

DEPLOYMENT = "deployment"

# Fields of a limit in the order of Rule's.
_FIELDS = (
    *("id", "scope", "metric", "model_class", "model", "period", "hours", "week_starts", "amount"),
    *("when_full", "words", "site_id"),
)
_BINDING = f"""
SELECT coalesce(d.time_zone, 'UTC'), d.stopped_at IS NOT NULL, one.grants,
       {", ".join(f"l.{name}" for name in _FIELDS)}
  FROM (SELECT (
      SELECT json_agg(json_build_array(metric, model_class, (held + settled)::text, amount::text, expires_at)
                      ORDER BY expires_at, id)
        FROM accounts_grant
       WHERE customer = %(customer)s AND expires_at > %(now)s AND withdrawn_at IS NULL) AS grants) one
  LEFT JOIN accounts_deployment d ON true
  LEFT JOIN accounts_limit l
    ON l.tier_id = %(tier)s OR l.site_id = %(site)s AND l.scope = 'site' OR l.scope = 'deployment'
       OR %(anonymous)s AND l.scope = 'address' AND (l.site_id IS NULL OR l.site_id = %(site)s)
 ORDER BY l.id
"""  # noqa: S608  names of ours


@dataclass(frozen=True)
class Rule:
    """One limit and whom it counts; `limit` is None for what the environment says."""

    limit: int | None
    scope: str
    metric: str
    model_class: str
    model: str
    period: str
    hours: int | None
    week_starts: int
    amount: Decimal
    when_full: str
    words: dict[str, str]
    subject: str
    zone: str = "UTC"

    @property
    def key(self) -> str:
        """What is counted. Limits of the same measure count in the same windows."""
        period = f"first:{self.hours}h" if self.hours else self.period
        if self.period == Limit.Period.WEEK:
            period = f"week:{self.week_starts}"
        about = f"model={self.model}" if self.model else self.model_class or "any"
        return f"{self.metric}:{about}:{period}"

    @property
    def own(self) -> bool:
        """Counts one customer alone: their grants help."""
        return self.scope == Limit.Scope.CUSTOMER

    def counts(self, model_class: str, model: str) -> bool:
        """Whether it counts what this model does."""
        return self.model in ("", model) and self.model_class in ("", model_class)

    def span(self, now: datetime) -> Span | None:
        """The window around `now`; None where it begins with the first use."""
        if self.hours:
            return None
        return periods.span(self.period, now, self.zone, self.week_starts)


@dataclass(frozen=True)
class Left:
    """A grant in force and what is left of it."""

    metric: str
    model_class: str
    used: Decimal
    amount: Decimal
    expires_at: datetime

    @property
    def left(self) -> Decimal:
        return max(Decimal(0), self.amount - self.used)

    def helps(self, rule: Rule, model_class: str = "") -> bool:
        """Whether it pays where this rule's window is full for what a model of this class does."""
        return (
            rule.own
            and rule.metric == self.metric
            and self.model_class in ("", rule.model_class or model_class)
        )


@dataclass(frozen=True)
class Binding:
    """All that limits a customer now; `grants` that which ends soonest first; `stopped`: nobody may spend."""

    rules: list[Rule] = field(default_factory=list)
    grants: list[Left] = field(default_factory=list)
    stopped: bool = False

    def of_metrics(self, *metrics: str) -> list[Rule]:
        return [rule for rule in self.rules if rule.metric in metrics]

    def for_model(self, model_class: str, model: str = "") -> list[Rule]:
        """Rules that count what a model of this class does; without a name, those of one model do not."""
        return [rule for rule in self.rules if rule.counts(model_class, model)]

    @property
    def needs_prices(self) -> bool:
        return any(rule.metric == Limit.Metric.MONEY for rule in self.rules)


def binding(customer: Customer, now: datetime | None = None) -> Binding:
    """The limits in force for a customer: of their tier, address, site, and the deployment."""
    tier = customer.effective_tier
    facts: dict[str, Any] = {
        "customer": customer.id,
        "now": now or timezone.now(),
        "tier": tier.id,
        "site": customer.site_id,
        "anonymous": not customer.verified,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BINDING, facts)
        rows = cursor.fetchall()
    zone, stopped, grants = rows[0][:3]
    subjects = subjects_of(customer)
    rules = [_rule(row[3:], zone, subjects) for row in rows if row[3] is not None]
    if not customer.verified:
        rules.append(_per_address(zone, subjects[Limit.Scope.ADDRESS]))
    left = [
        Left(metric, model_class, Decimal(used), Decimal(amount), datetime.fromisoformat(expires))
        for metric, model_class, used, amount, expires in _read(grants) or []
    ]
    return Binding([rule for rule in rules if rule.subject], left, stopped)


def subjects_of(customer: Customer) -> dict[str, str]:
    """Whom each scope counts for this customer; empty where it counts nobody.

    An address is that of visitors of all sites; limits of one site count it by itself, see `at_site`.
    """
    hidden = customer.verified or not customer.address
    return {
        Limit.Scope.CUSTOMER: f"customer:{customer.id}",
        Limit.Scope.TIER: f"tier:{customer.effective_tier.slug}",
        Limit.Scope.ADDRESS: "" if hidden else f"address:{customer.address}",
        Limit.Scope.SITE: f"site:{customer.site.key}",
        Limit.Scope.DEPLOYMENT: DEPLOYMENT,
    }


def at_site(address: str, site: int) -> str:
    """The subject of an address where one site's visitors are counted alone: the site is named by its id."""
    return address.replace(":", f":{site}:", 1)


def ordered(rules: Iterable[Rule]) -> list[Rule]:
    """In the order in which windows are opened, each measure once: the least amount decides."""
    least: dict[tuple[str, str], Rule] = {}
    for rule in sorted(rules, key=lambda rule: rule.amount, reverse=True):
        least[rule.key, rule.subject] = rule
    return [least[measure] for measure in sorted(least)]


def _read(value: Any) -> Any:
    """JSON, whether or not the driver has read it."""
    return json.loads(value) if isinstance(value, str) else value


def _rule(row: tuple[object, ...], zone: str, subjects: dict[str, str]) -> Rule:
    values = dict(zip(_FIELDS, row, strict=True))
    limit, words, site = values.pop("id"), values.pop("words"), values.pop("site_id")
    subject = subjects[str(values["scope"])]
    if site and values["scope"] == Limit.Scope.ADDRESS:
        subject = at_site(subject, int(str(site)))
    return Rule(limit=limit, words=_read(words), subject=subject, zone=zone, **values)  # type: ignore[arg-type]


def _per_address(zone: str, address: str) -> Rule:
    """What the environment allows the anonymous visitors of one address a day, all of them together."""
    return Rule(
        limit=None,
        scope=Limit.Scope.ADDRESS,
        metric=Limit.Metric.MESSAGES,
        model_class="",
        model="",
        period=Limit.Period.DAY,
        hours=None,
        week_starts=0,
        amount=settings.ANONYMOUS_PER_ADDRESS,
        when_full=Limit.WhenFull.DEGRADE,
        words={},
        subject=address,
        zone=zone,
    )
