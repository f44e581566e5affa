"""Rules that many deployments want, to be added with one click."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from accounts import limit_sentences
from accounts.models import Limit, Tier

_SUNDAY = 6
_MEASURED = ("scope", "metric", "model_class", "model", "period", "hours", "week_starts")


@dataclass(frozen=True)
class Preset:
    """A rule to be added to a tier, or to the deployment."""

    key: str
    name: str
    values: dict[str, Any]

    def limit(self, tier: Tier | None = None) -> Limit:
        """Not saved. Where the tier has no cheaper class, nothing steps down."""
        limit = Limit(tier=tier, **self.values)
        if limit.when_full == Limit.WhenFull.NEXT and tier and not limit_sentences.cheaper(limit):
            limit.when_full = Limit.WhenFull.DEGRADE
        return limit

    def why_not(self, tier: Tier | None = None) -> str:
        """Why it cannot be added; empty where it can."""
        limit = self.limit(tier)
        if tier and limit.model_class and limit.model_class not in tier.classes:
            return f"This tier does not use {limit.model_class} models."
        if same(limit).exists():
            return "There is a limit on this already."
        return ""


FOR_TIERS = [
    Preset("small-day", "small 150 a day", {"model_class": "small", "amount": Decimal(150)}),
    Preset(
        "large-three-hours",
        "large 150 per 3 hours, then small",
        {
            "model_class": "large",
            "period": Limit.Period.FIRST_USE,
            "hours": 3,
            "amount": Decimal(150),
            "when_full": Limit.WhenFull.NEXT,
        },
    ),
    Preset(
        "reasoning-week",
        "reasoning 50 a week, resets Sunday 00:00",
        {
            "model_class": "reasoning",
            "period": Limit.Period.WEEK,
            "week_starts": _SUNDAY,
            "amount": Decimal(50),
            "when_full": Limit.WhenFull.NEXT,
        },
    ),
    Preset(
        "large-day",
        "large 100 a day, then small",
        {"model_class": "large", "amount": Decimal(100), "when_full": Limit.WhenFull.NEXT},
    ),
    Preset("ten-a-day", "10 messages a day", {"amount": Decimal(10)}),
]
FOR_DEPLOYMENT = [
    Preset(
        "twenty-dollars",
        "$20 a month, warn at 70% and 80%, stop at 100%",
        {
            "scope": Limit.Scope.DEPLOYMENT,
            "metric": Limit.Metric.MONEY,
            "period": Limit.Period.MONTH,
            "amount": Decimal(20),
            "warn_at": [70, 80, 100],
        },
    ),
]
_ALL = {preset.key: preset for preset in [*FOR_TIERS, *FOR_DEPLOYMENT]}


def named(key: str) -> Preset:
    """Raises KeyError."""
    return _ALL[key]


def same(limit: Limit) -> QuerySet[Limit]:
    """Limits that measure the same for the same people, of which there may be one."""
    found = Limit.objects.filter(tier=limit.tier, site=limit.site, **_measured(limit))
    return found.exclude(pk=limit.pk) if limit.pk else found


def measure(limit: Limit) -> tuple[Any, ...]:
    """What tells the limits of a tier, a site or the deployment apart."""
    return tuple(_measured(limit).values())


def _measured(limit: Limit) -> dict[str, Any]:
    return {name: getattr(limit, name) for name in _MEASURED}
