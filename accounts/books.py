"""Everybody's limits together: those in force, or with a draft of one tier's that nobody has saved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.conf import settings

from accounts.limits import Rule
from accounts.models import Deployment, Limit, Tier

_OF_A_RULE = (
    *("scope", "metric", "model_class", "model", "period", "hours", "week_starts"),
    *("when_full", "words"),
)
# At least as long as each period may be.
_DAYS = {"minute": 1, "hour": 1, "day": 2, "week": 8, "month": 32}
_MONTH = timedelta(days=_DAYS["month"])


@dataclass(frozen=True)
class Book:
    """Everybody's limits, as they are or as they would be, and the classes of each tier by its slug."""

    limits: list[Limit]
    classes: dict[str, list[str]]
    zone: str = "UTC"

    def drafted(self, tier: Tier, draft: Sequence[Limit]) -> "Book":
        """With other limits and classes for one tier; what is not saved yet belongs to it all the same."""
        others = [limit for limit in self.limits if limit.tier_id != tier.pk]
        for limit in draft:
            limit.tier = tier
        return Book([*others, *draft], self.classes | {tier.slug: list(tier.classes)}, self.zone)

    def longest(self) -> timedelta:
        """How long before a turn the longest of its windows may have begun; of more than a month, a month."""
        return max((min(_length(limit), _MONTH) for limit in self.limits), default=timedelta())


def in_force() -> Book:
    """The limits as they are saved, and what the environment allows each address."""
    zone = Deployment.objects.values_list("time_zone", flat=True).first() or "UTC"
    per_address = Limit(scope=Limit.Scope.ADDRESS, amount=Decimal(settings.ANONYMOUS_PER_ADDRESS))
    saved = Limit.objects.select_related("tier", "site").order_by("id")
    return Book([*saved, per_address], dict(Tier.objects.values_list("slug", "classes")), zone)


def rule_of(limit: Limit, zone: str) -> Rule:
    """What a limit counts, saved or not; it names no subject."""
    values = {name: getattr(limit, name) for name in _OF_A_RULE}
    return Rule(limit=limit.pk, amount=Decimal(limit.amount), subject="", zone=zone, **values)


_DAYS = {"minute": 1, "hour": 1, "day": 2, "week": 8, "month": 32}
_MONTH = timedelta(days=_DAYS["month"])


def _length(limit: Limit) -> timedelta:
    return timedelta(hours=limit.hours) if limit.hours else timedelta(days=_DAYS[limit.period])
