"""What one customer is given beyond their limits: prepaid credit, extra allowance."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit, limits, quota
from accounts.models import CLASSES, Customer, Grant, Limit, User

LONGEST = timedelta(days=731)
LEAST_REASON, MOST_REASON = 5, 200
# More than anybody should be given by a slip of the finger.
MOST: dict[str, Decimal] = {
    Limit.Metric.MESSAGES: Decimal(100_000),
    Limit.Metric.INPUT: Decimal(10_000_000_000),
    Limit.Metric.OUTPUT: Decimal(10_000_000_000),
    Limit.Metric.TOTAL: Decimal(10_000_000_000),
    Limit.Metric.MONEY: Decimal(10_000),
    Limit.Metric.ACTIONS: Decimal(100_000),
}
# Credit is paid for, and extra allowance is a kindness: it never names money.
OF_KIND: dict[str, tuple[str, ...]] = {
    Grant.Kind.CREDIT: (
        *(Limit.Metric.MONEY, Limit.Metric.MESSAGES),
        *(Limit.Metric.TOTAL, Limit.Metric.INPUT, Limit.Metric.OUTPUT),
    ),
    Grant.Kind.EXTRA: (
        *(Limit.Metric.MESSAGES, Limit.Metric.ACTIONS),
        *(Limit.Metric.TOTAL, Limit.Metric.INPUT, Limit.Metric.OUTPUT),
    ),
}


class BadGrant(ValueError):
    """What cannot be given so; `field` says which part is wrong, the text why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


@dataclass(frozen=True)
class Gift:
    """What is to be given. Checked when it is made: raises BadGrant."""

    kind: str
    metric: str
    model_class: str
    amount: Decimal
    expires_at: datetime

    def __post_init__(self) -> None:
        if self.metric not in OF_KIND.get(self.kind, ()):
            raise BadGrant("metric", "This cannot be given of this kind.")
        if self.model_class not in ("", *CLASSES):
            raise BadGrant("model_class", f"The classes are {', '.join(CLASSES)}.")
        if self.model_class and self.metric == Limit.Metric.ACTIONS:
            raise BadGrant("model_class", "Tool actions have no class.")
        check_amount(self.metric, self.amount)
        check_end("expires_at", self.expires_at)


def check_amount(metric: str, amount: Decimal) -> None:
    if not amount.is_finite() or amount <= 0:
        raise BadGrant("amount", "Give more than nothing.")
    if amount > MOST[metric]:
        raise BadGrant("amount", f"At most {MOST[metric]:,f} at once.")
    if metric != Limit.Metric.MONEY and amount != amount.to_integral_value():
        raise BadGrant("amount", "Give a whole number.")
    if amount != round(amount, 6):
        raise BadGrant("amount", "Give at most six digits after the point.")


def check_end(field: str, ends: datetime) -> None:
    now = timezone.now()
    if ends <= now:
        raise BadGrant(field, "Choose a moment that is still to come.")
    if ends > now + LONGEST:
        raise BadGrant(field, "Choose a moment within two years.")


def checked_reason(reason: str) -> str:
    why = " ".join(reason.split())
    if not LEAST_REASON <= len(why) <= MOST_REASON:
        raise BadGrant("reason", f"Give a reason of {LEAST_REASON} to {MOST_REASON} characters.")
    return why


def give(customer: Customer, gift: Gift, reason: str, by: User) -> Grant:
    """Let a customer use more, from now until it ends or is used up. Raises BadGrant."""
    why = checked_reason(reason)
    with transaction.atomic():
        grant = Grant.objects.create(
            customer=customer.id,
            kind=gift.kind,
            metric=gift.metric,
            model_class=gift.model_class,
            amount=gift.amount,
            expires_at=gift.expires_at,
            reason=why,
            given_by=str(by)[:100],
        )
        _record(by, "grant_given", grant, why, before={}, after=_told(grant))
    return grant


def withdraw(grant_id: UUID, by: User, reason: str) -> Grant:
    """Give no more of a grant: what was used stays used, and what is held goes on. Raises BadGrant."""
    why = checked_reason(reason)
    with transaction.atomic():
        grant = Grant.objects.select_for_update().get(id=grant_id)
        if not in_force(grant):
            raise BadGrant("reason", "This grant is over already.")
        before = _told(grant)
        grant.withdrawn_at = timezone.now()
        grant.save(update_fields=["withdrawn_at"])
        _record(by, "grant_withdrawn", grant, why, before=before, after=_told(grant))
    return grant


def of(customer: Customer) -> QuerySet[Grant]:
    """All that they were ever given, the newest first."""
    return Grant.objects.filter(customer=customer.id).order_by("-created_at", "-id")


def in_force(grant: Grant) -> bool:
    return grant.withdrawn_at is None and grant.expires_at > timezone.now()


def left(grant: Grant) -> Decimal:
    """What may still be drawn; nothing once it is over."""
    return max(Decimal(0), grant.amount - grant.held - grant.settled) if in_force(grant) else Decimal(0)


def end_of_window(customer: Customer, now: datetime | None = None) -> datetime:
    """When the customer's own windows of messages that are full begin anew, else the first of them.

    A day from now where there is none, or none has begun.
    """
    now = now or timezone.now()
    binding = limits.binding(customer, now)
    own = [rule for rule in binding.of_metrics(Limit.Metric.MESSAGES) if rule.own]
    begun = [(one.left, one.resets_at) for one in quota.standing(own, now) if one.resets_at]
    full = [ends for left, ends in begun if not left]
    return max(full, default=min((ends for _, ends in begun), default=now + timedelta(days=1)))


def forget_reasons(customer: Customer) -> None:
    """Of an erased customer only numbers stay; why somebody gave them something may tell who they were."""
    Grant.objects.filter(customer=customer.id).update(reason="")


def _told(grant: Grant) -> dict[str, str | None]:
    """As the audit log tells it."""
    return {
        "kind": grant.kind,
        "metric": grant.metric,
        "class": grant.model_class or "all",
        "amount": f"{grant.amount.normalize():f}",
        "used": f"{grant.settled.normalize():f}" if grant.settled else "0",
        "expires_at": grant.expires_at.isoformat(),
        "withdrawn_at": grant.withdrawn_at.isoformat() if grant.withdrawn_at else None,
    }


def _record(by: User, action: audit.Action, grant: Grant, why: str, **told: dict[str, str | None]) -> None:
    audit.record(by, action, f"customer:{grant.customer}", reason=why, grant=str(grant.id), **told)
