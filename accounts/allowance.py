"""What a customer has used and may use, as they are told it: never money."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts import limit_words, limits, quota
from accounts.limits import Binding, Left
from accounts.models import Customer, Limit
from accounts.quota import Standing


@dataclass(frozen=True)
class LimitUse:
    """One limit as the customer sees it; `used` counts what is held, too."""

    label: str
    used: int
    amount: int
    resets_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "label": self.label,
            "used": self.used,
            "amount": self.amount,
            "resets_at": self.resets_at.isoformat(),
        }


@dataclass(frozen=True)
class Allowance:
    """What a customer has used and may use; `exhausted`: no class of models may answer them now."""

    limits: list[LimitUse]
    exhausted: bool

    def as_json(self) -> dict[str, Any]:
        return {"limits": [limit.as_json() for limit in self.limits], "exhausted": self.exhausted}


def of(customer: Customer, now: datetime | None = None) -> Allowance:
    """The customer's own limits and grants, and whether any model may still answer."""
    now = now or timezone.now()
    binding = limits.binding(customer, now)
    standings = quota.standing(limits.ordered(binding.rules), now)
    told = [
        LimitUse(
            limit_words.label(one.rule, customer.locale),
            int(one.used),
            int(one.rule.amount),
            one.resets_at or now,
        )
        for one in standings
        if one.rule.own and one.rule.metric != Limit.Metric.MONEY
    ]
    told += [
        _granted(grant, customer.locale)
        for grant in binding.grants
        if grant.metric != Limit.Metric.MONEY and grant.left
    ]
    classes = customer.effective_tier.classes
    return Allowance(told, binding.stopped or not any(has_room(binding, standings, c) for c in classes))


def _granted(grant: Left, locale: str) -> LimitUse:
    label = limit_words.granted(grant.metric, grant.model_class, locale)
    return LimitUse(label, int(grant.used), int(grant.amount), grant.expires_at)


def has_room(binding: Binding, standings: list[Standing], model_class: str) -> bool:
    """Whether a model of this class may answer; rules of one model alone do not decide."""
    return not any(
        full(one, binding.grants, model_class) for one in standings if one.rule.counts(model_class, "")
    )


def full(one: Standing, grants: list[Left], model_class: str = "") -> bool:
    """Whether a window has no room for one more use of usual size, with what grants would give."""
    if one.rule.metric == Limit.Metric.ACTIONS:
        return False
    least = max(one.usual, Decimal(0 if one.rule.metric == Limit.Metric.MONEY else 1))
    granted = sum(grant.left for grant in grants if grant.helps(one.rule, model_class))
    return one.left + granted < least or one.left + granted == 0
