"""Everything about a customer, as they may read it: for other programs, and as a page.

What they said is there as they said it, and what was hidden from models and staff is put back. Of staff it
tells the name that customers see, never what staff keep for themselves.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts import grants
from accounts.models import AuditEntry, Customer, Limit, Lookup, UsageEntry, User, Window
from bot.models import Conversation
from bot.rights.page import html
from bot.rights.retelling import retold

__all__ = ["html", "of"]

VERSION = 1
JSON = dict[str, Any]
# Subjects asked for at once.
AT_ONCE = 1000
NO_NAME = "staff"
GRANTS = ("grant_given", "grant_withdrawn")


def of(customer: Customer) -> JSON:
    """Plain JSON values. What was deleted by time or on request is named, with when that was."""
    conversations = Conversation.objects.filter(customer=customer).order_by("opened_at", "id")
    return {
        "version": VERSION,
        "made_at": _at(timezone.now()),
        "site": {"key": customer.site.key, "name": customer.site.name},
        "customer": _customer(customer),
        "kept": {
            "conversations_days": customer.site.text_days,
            "tool_calls_days": customer.site.call_days,
        },
        "conversations": [retold(one) for one in conversations.iterator(chunk_size=100)],
        "found_by": [*_lookups(customer)],
        "usage": [*_usage(customer)],
        "limits": [*_limits(customer)],
        "grants": [*_grants(customer)],
        "audit": [*_audit(customer, conversations)],
    }


def _customer(customer: Customer) -> JSON:
    """What the site told, and what the customer left."""
    return {
        "id": str(customer.id),
        "signed_in": customer.verified,
        "id_on_site": customer.external_id or None,
        "name": customer.name or None,
        "email": customer.email or None,
        "contact": customer.contact or None,
        "tier": customer.effective_tier.name,
        "language": customer.locale,
        "network": customer.address or None,
        "first_seen": _at(customer.created_at),
        "last_seen": _at(customer.seen_at),
        "erased_at": _at(customer.erased_at),
    }


def _lookups(customer: Customer) -> Iterator[JSON]:
    """How many addresses and numbers staff can find them by; only keyed digests of these are kept."""
    rows = Lookup.objects.filter(customer=customer).values("kind").order_by("kind")
    for row in rows.annotate(count=Count("digest", distinct=True)):
        yield {"kind": row["kind"], "count": row["count"]}


def _usage(customer: Customer) -> Iterator[JSON]:
    """Which models were asked on which day; they were sent text without private values."""
    rows = UsageEntry.objects.filter(customer=customer.id).annotate(day=TruncDate("created_at"))
    sums = rows.values("day", "provider", "model").order_by("day", "provider", "model")
    for row in sums.annotate(
        calls=Count("id"), tokens_in=Sum("input_tokens"), tokens_out=Sum("output_tokens")
    ):
        yield {
            "day": row["day"].isoformat(),
            "provider": row["provider"],
            "model": row["model"],
            "calls": row["calls"],
            "input_tokens": row["tokens_in"],
            "output_tokens": row["tokens_out"],
        }


def _limits(customer: Customer) -> Iterator[JSON]:
    """What counted against which limit, period by period; what it cost us is not theirs."""
    windows = Window.objects.filter(subject=f"customer:{customer.id}").exclude(rule__startswith="money:")
    for window in windows.order_by("starts_at", "rule").iterator():
        yield {
            "counts": window.rule.partition(":")[0],
            "from": _at(window.starts_at),
            "to": _at(window.ends_at),
            "used": int(window.settled),
        }


def _grants(customer: Customer) -> Iterator[JSON]:
    """What they were given, when and until when; of money only that it was credit, and never why."""
    for grant in grants.of(customer).reverse():
        money = grant.metric == Limit.Metric.MONEY
        yield {
            "at": _at(grant.created_at),
            "kind": grant.kind,
            "counts": "credit" if money else grant.metric,
            "amount": None if money else int(grant.amount),
            "used": None if money else int(grant.settled),
            "until": _at(grant.withdrawn_at or grant.expires_at),
        }


def _audit(customer: Customer, conversations: QuerySet[Conversation]) -> Iterator[JSON]:
    """Who has seen, taken or deleted what of theirs, and when."""
    mine = f"customer:{customer.id}"
    subjects = [mine, *(f"conversation:{one}" for one in conversations.values_list("id", flat=True))]
    names = dict(User.objects.values_list("id", "name"))
    for first in range(0, len(subjects), AT_ONCE):
        some = subjects[first : first + AT_ONCE]
        entries = AuditEntry.objects.filter(subject__in=some).order_by("number")
        for entry in entries.iterator(chunk_size=AT_ONCE):
            yield {
                "at": _at(entry.at),
                "action": entry.action,
                "by": "you" if entry.actor == mine else _name(entry.actor, names),
                "conversation": entry.subject.partition("conversation:")[2] or None,
                "detail": _detail(entry),
            }


def _detail(entry: AuditEntry) -> JSON:
    """Of a grant only which: what it is worth to the deployment is told nobody but its staff."""
    return {"grant": entry.detail["grant"]} if entry.action in GRANTS else entry.detail


def _name(actor: str, names: dict[int, str]) -> str:
    """As customers know them: staff who have no such name stay nameless."""
    kind, _, number = actor.partition(":")
    return (names.get(int(number)) or NO_NAME) if kind == "staff" and number.isdecimal() else "system"


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
