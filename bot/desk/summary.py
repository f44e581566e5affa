"""What staff see of a conversation at a glance: whose it is and who has it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from bot.models import Conversation


@dataclass(frozen=True)
class Summary:
    """`customer` is the site's own id of a verified customer, else a visitor's short number: never a name."""

    id: UUID
    customer_id: UUID
    customer: str
    verified: bool
    site: str
    tier: str
    locale: str
    handler: str
    agent: str
    mine: bool
    reason: str
    opened_at: datetime
    active_at: datetime
    waiting_since: datetime | None
    closed_at: datetime | None
    forgotten_at: datetime | None
    erased_at: datetime | None

    @property
    def state(self) -> str:
        """Who has it, as the agent who looks sees it: bot, queue, mine, other or closed."""
        if self.closed_at is not None:
            return "closed"
        if self.handler == Conversation.Handler.PERSON:
            return "mine" if self.mine else "other"
        return self.handler


def with_names(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Fetch what a summary names in the same query."""
    return conversations.select_related(
        "site__default_tier", "customer__tier", "customer__token_tier", "agent"
    )


def summarise(agent: User, one: Conversation) -> Summary:
    customer = one.customer
    return Summary(
        id=one.id,
        customer_id=customer.id,
        customer=customer.label or customer.id.hex[:6],
        verified=customer.verified,
        site=one.site.name,
        tier=(customer.given_tier or customer.token_tier or one.site.default_tier).name,
        locale=one.locale,
        handler=one.handler,
        agent=str(one.agent) if one.agent else "",
        mine=one.agent_id == agent.pk,
        reason=one.handover_reason,
        opened_at=one.opened_at,
        active_at=one.active_at,
        waiting_since=one.waiting_since,
        closed_at=one.closed_at,
        forgotten_at=one.forgotten_at,
        erased_at=customer.erased_at,
    )
