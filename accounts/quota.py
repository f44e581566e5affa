"""How much somebody may still use, and the ledger of what was used.

A use (a turn) holds quota before the model is asked, and settles or releases it afterwards; a hold that does
neither expires. Each step is one SQL statement that locks holds before windows, and both by id: it is all or
nothing, waits for no network, and cannot deadlock with another. A window of a new day is a new row.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from accounts import quota_sql
from accounts.models import Customer, Hold

LABELS = {
    "messages/day": {"en": "messages today", "zh": "今日消息"},
    "anonymous-address": {"en": "messages today from your network", "zh": "您所在网络的今日消息"},
}


class Exhausted(Exception):
    """A limit is used up; the text is the limit in the customer's language."""

    def __init__(self, label: str, amount: int, resets_at: datetime) -> None:
        super().__init__(label)
        self.label = label
        self.amount = amount
        self.resets_at = resets_at


@dataclass(frozen=True)
class LimitUse:
    """One limit as the customer sees it; `used` counts what is held, too."""

    label: str
    used: int
    amount: int
    resets_at: datetime


@dataclass(frozen=True)
class Allowance:
    """What a customer has used and may use; `exhausted` also when their network's share is used up."""

    limits: list[LimitUse]
    exhausted: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "limits": [
                {
                    "label": limit.label,
                    "used": limit.used,
                    "amount": limit.amount,
                    "resets_at": limit.resets_at.isoformat(),
                }
                for limit in self.limits
            ],
            "exhausted": self.exhausted,
        }


def hold(use: UUID, customer: Customer, *, seconds: float, now: datetime | None = None) -> None:
    """Reserve one message for this use in each of the customer's windows, or in none and raise Exhausted.

    A use counts once: while it is held, and after it was settled, holding it again changes nothing. After it
    was released or has expired it is held anew, if there is still room.
    """
    now = now or timezone.now()
    values = _values(customer, now) | {"use": use, "now": now, "expires": now + timedelta(seconds=seconds)}
    with connection.cursor() as cursor:
        rules = _try_to_hold(cursor, values)
        if any(rule.window is None for rule in rules):
            cursor.execute(quota_sql.OPEN_WINDOWS, values)
            rules = _try_to_hold(cursor, values)
    full = next((rule for rule in rules if rule.used + 1 > rule.amount), None)
    if full and not _counted(use):
        raise Exhausted(_words(full, customer), int(full.amount), values["ends"])


@dataclass(frozen=True)
class _Rule:
    """One rule that binds a customer now; `window` is its row's id, None before its first use."""

    label: str
    amount: Decimal
    window: int | None
    used: Decimal


def _try_to_hold(cursor: CursorWrapper, values: dict[str, Any]) -> list[_Rule]:
    """Hold, if there is room in every window; what stood against it, or nothing if the use counts already."""
    cursor.execute(quota_sql.HOLD, values)
    return [_Rule(*row) for *row, already in cursor.fetchall() if not already]


def _counted(use: UUID) -> bool:
    """Whether the same use took the last room a moment ago, by a second attempt at the same time."""
    return Hold.objects.filter(use=use, state__in=[Hold.State.HELD, Hold.State.SETTLED]).exists()


def settle(use: UUID) -> None:
    """Turn what this use holds into used. After the hold expired it still counts, as overrun."""
    with connection.cursor() as cursor:
        cursor.execute(quota_sql.END_USE, {"use": use, "from": ["held", "expired"], "to": "settled"})


def release(use: UUID) -> None:
    """Give back what this use holds; a use that was settled stays counted."""
    with connection.cursor() as cursor:
        cursor.execute(quota_sql.END_USE, {"use": use, "from": ["held"], "to": "released"})


def expire(now: datetime | None = None) -> int:
    """Give back what was held too long; the number of holds that ended so."""
    with connection.cursor() as cursor:
        cursor.execute(quota_sql.EXPIRE, {"now": now or timezone.now(), "to": "expired"})
        return int(cursor.fetchone()[0])


def allowance(customer: Customer, now: datetime | None = None) -> Allowance:
    """What the customer has used of each limit today."""
    values = _values(customer, now or timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(quota_sql.ALLOWANCE, values)
        rules = [_Rule(*row) for row in cursor.fetchall()]
    limits = [
        LimitUse(_words(rule, customer), int(rule.used), int(rule.amount), values["ends"])
        for rule in rules
        if rule.label != "anonymous-address"
    ]
    return Allowance(limits, exhausted=any(rule.used + 1 > rule.amount for rule in rules))


def _words(rule: _Rule, customer: Customer) -> str:
    words = LABELS[rule.label]
    return words.get(customer.locale, words["en"])


def _values(customer: Customer, now: datetime) -> dict[str, Any]:
    """What the statements need to know of the customer and of today, which begins and ends in UTC."""
    starts = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "customer": str(customer.id),
        "tier": customer.tier_id or customer.token_tier_id or customer.site.default_tier_id,
        "address": "" if customer.verified else customer.address,
        "per_address": settings.ANONYMOUS_PER_ADDRESS,
        "starts": starts,
        "ends": starts + timedelta(days=1),
    }
