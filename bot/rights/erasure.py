"""Erase a customer: everything about them goes, at once and for good, and only numbers stay.

Their row stays without content, so that who erases themself has no fresh quota and the ledger still sums;
who comes back is new otherwise. The audit log keeps that it was done, by whom and why.
"""

from datetime import timedelta
from uuid import UUID

import structlog
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from redis.exceptions import RedisError

from accounts import audit, grants
from accounts.models import Customer, Lookup, User
from bot import events, queue, reply
from bot.models import Conversation, Turn
from bot.outbox import LOG_SECONDS, outbox
from bot.rights import forget
from bot.rights.forget import Counts

# What the admin's own history calls an erased customer.
NOBODY = "erased customer"
SEALED = ("sealed_sub", "sealed_name", "sealed_email", "sealed_contact")

log = structlog.get_logger(__name__)


def erase(customer: Customer, actor: User | Customer | None, reason: str) -> Counts:
    """Delete everything about a customer; of one about whom nothing is left, change nothing.

    1. End what the bot is doing for them, as a stop does: nobody works on for nothing.
    2. In one transaction delete what was said, destroy its keys, empty the customer's row and record it.
       Their session tokens are worth nothing from then on.
    3. Send their tabs away, and take out of Redis what was shown.
    4. Sweep a little later, when whoever was in the middle of something has noticed.
    """
    for conversation in _open(customer):
        reply.fence(conversation, "stopped")
    with transaction.atomic():
        # Another erasure waits for this lock, and so does who opens a conversation or leaves a contact.
        row = Customer.objects.select_for_update(no_key=True).get(id=customer.id)
        if not _anything_left(row):
            return Counts()
        watched = _open(row)
        counts = forget.forget(Conversation.objects.filter(customer=row, forgotten_at=None), timezone.now())
        _empty(row)
        audit.record(
            actor,
            "erase",
            f"customer:{row.id}",
            reason=reason,
            erased_at=str(row.erased_at),
            conversations=counts.conversations,
            messages=counts.messages,
            calls=counts.calls,
        )
    customer.refresh_from_db()
    _tell(watched)
    forget_shown(customer)
    queue.sweep_erased(customer.id)
    return counts


def finish(customer_id: UUID) -> None:
    """Delete what was written for an erased customer by somebody who did not know yet."""
    customer = Customer.objects.filter(id=customer_id).exclude(erased_at=None).first()
    if customer:
        forget.sweep(Conversation.objects.filter(customer=customer))
        forget_shown(customer)


def forget_shown(customer: Customer) -> None:
    """Take the events of their turns out of Redis, where they would live for another hour."""
    turns = Turn.objects.filter(
        conversation__customer=customer,
        conversation__forgotten_at__isnull=False,
        finished_at__gte=timezone.now() - 2 * timedelta(seconds=LOG_SECONDS),
    )
    try:
        outbox().forget([str(turn) for turn in turns.values_list("id", flat=True)])
    except RedisError as error:
        log.warning("events not deleted: they end by themselves", error=type(error).__name__)


def _open(customer: Customer) -> list[UUID]:
    return [*Conversation.objects.filter(customer=customer, closed_at=None).values_list("id", flat=True)]


def _anything_left(customer: Customer) -> bool:
    return (
        any(getattr(customer, name) for name in SEALED)
        or bool(customer.address)
        or Conversation.objects.filter(customer=customer, forgotten_at=None).exists()
        or Lookup.objects.filter(customer=customer).exists()
    )


def _empty(customer: Customer) -> None:
    """Who they were on the site stays as a keyed digest, and the tier an admin gave them stays with it."""
    Lookup.objects.filter(customer=customer).delete()
    grants.forget_reasons(customer)
    for name in SEALED:
        setattr(customer, name, b"")
    customer.address, customer.token_tier, customer.locale = "", None, "en"
    customer.erased_at = timezone.now()
    customer.save()
    kind = ContentType.objects.get_for_model(Customer)
    LogEntry.objects.filter(content_type=kind, object_id=str(customer.id)).update(object_repr=NOBODY)


def _tell(conversations: list[UUID]) -> None:
    for conversation in conversations:
        events.closed(conversation)
