"""A one-off extra allowance: messages that an agent gives to the customer of a conversation, for a reason."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from accounts import grants, statement
from accounts.grants import BadGrant, Gift
from accounts.models import Customer, Grant, Limit, User
from accounts.statement import Statement
from bot import events
from bot.errors import Unknown
from bot.models import Conversation

# Of one grant; admins give more on the customer's page.
MOST_MESSAGES, MOST_DAYS = 50, 31


def read(conversation_id: UUID, locale: str) -> Statement:
    """What the customer has used, in the agent's language. Raises Unknown."""
    return statement.of(_customer(conversation_id), locale)


def give(agent: User, conversation_id: UUID, messages: int, days: int, reason: str) -> Grant:
    """Let the customer go on; 0 days: until their own windows begin anew. Raises BadGrant or Unknown."""
    customer = _customer(conversation_id)
    if not 1 <= messages <= MOST_MESSAGES:
        raise BadGrant("amount", f"an agent gives 1 to {MOST_MESSAGES} messages")
    if not 0 <= days <= MOST_DAYS:
        raise BadGrant("expires_at", f"an agent gives at most {MOST_DAYS} days")
    longest = timezone.now() + timedelta(days=days or MOST_DAYS)
    ends = longest if days else min(longest, grants.end_of_window(customer))
    gift = Gift(Grant.Kind.EXTRA, Limit.Metric.MESSAGES, "", Decimal(messages), ends)
    grant = grants.give(customer, gift, reason, agent)
    tell(customer)
    return grant


def tell(customer: Customer) -> None:
    """Have the customer's tabs, and the desk, look again at what they may use."""
    open_ones = Conversation.objects.filter(customer=customer, closed_at=None)
    for conversation in open_ones.values_list("id", flat=True):
        events.allowance_changed(conversation)


def _customer(conversation_id: UUID) -> Customer:
    known = Conversation.objects.select_related(
        "customer__site__default_tier", "customer__tier", "customer__token_tier"
    )
    conversation = known.filter(id=conversation_id, forgotten_at=None).first()
    if conversation is None:
        raise Unknown("no such conversation")
    return conversation.customer
