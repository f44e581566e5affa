"""What somebody has used, to be read: each limit and grant with its end, and when more is to be had."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts import allowance, limit_words, limits, quota
from accounts.limits import Binding
from accounts.models import Customer, Limit
from accounts.quota import Standing

_PERSONAL = (Limit.Scope.CUSTOMER, Limit.Scope.ADDRESS)


@dataclass(frozen=True)
class Line:
    """One limit or grant; `ends_at` is None for a window that begins with the next use.

    `counts`: what is used next counts in it; not where its models may not answer for another reason.
    """

    label: str
    used: int
    amount: int
    ends_at: datetime | None
    counts: bool = True

    @property
    def full(self) -> bool:
        return self.used >= self.amount

    @property
    def percent(self) -> int:
        return 100 if self.full else self.used * 100 // self.amount

    def as_json(self) -> dict[str, Any]:
        ends = self.ends_at.isoformat() if self.ends_at else None
        return {
            "label": self.label,
            "used": self.used,
            "amount": self.amount,
            "ends_at": ends,
            "counts": self.counts,
        }


@dataclass(frozen=True)
class Statement:
    """Never money. `back_at`: when a model may answer again where none may now; None where nobody knows.

    `free`: nothing limits this customer by themselves. `stopped`: no customer is answered by a model.
    """

    limits: list[Line]
    extras: list[Line]
    exhausted: bool
    back_at: datetime | None
    free: bool
    stopped: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "limits": [line.as_json() for line in self.limits],
            "extras": [line.as_json() for line in self.extras],
            "exhausted": self.exhausted,
            "back_at": self.back_at.isoformat() if self.back_at else None,
            "free": self.free,
            "stopped": self.stopped,
        }


def of(customer: Customer, locale: str, now: datetime | None = None) -> Statement:
    """The customer's own limits and what they were given, in this language."""
    now = now or timezone.now()
    binding = limits.binding(customer, now)
    standings = quota.standing(limits.ordered(binding.rules), now)
    classes = customer.effective_tier.classes
    open_ones = [c for c in classes if allowance.has_room(binding, standings, c)]
    exhausted = binding.stopped or not open_ones
    return Statement(
        limits=[
            Line(
                limit_words.label(one.rule, locale),
                int(one.used),
                int(one.rule.amount),
                one.resets_at,
                one.rule.model_class in ("", *open_ones),
            )
            for one in standings
            if one.rule.own and one.rule.metric != Limit.Metric.MONEY
        ],
        extras=[
            Line(
                limit_words.granted(grant.metric, grant.model_class, locale),
                int(grant.used),
                int(grant.amount),
                grant.expires_at,
            )
            for grant in binding.grants
            if grant.metric != Limit.Metric.MONEY
        ],
        exhausted=exhausted,
        back_at=_back_at(binding, standings, classes) if exhausted else None,
        free=not any(rule.scope in _PERSONAL for rule in binding.rules),
        stopped=binding.stopped,
    )


def _back_at(binding: Binding, standings: list[Standing], classes: list[str]) -> datetime | None:
    """The first moment at which all that is in the way of one class has begun anew."""
    if binding.stopped:
        return None
    moments = []
    for model_class in classes:
        full = [
            one
            for one in standings
            if one.rule.counts(model_class, "") and allowance.full(one, binding.grants, model_class)
        ]
        if all(one.resets_at and one.rule.amount for one in full):
            moments.append(max(one.resets_at for one in full if one.resets_at))
    return min(moments, default=None)
