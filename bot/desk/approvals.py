"""Changes that the bot has proposed: the customer's yes or no, and the end of questions nobody answers."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from bot import events
from bot.models import ToolCall, Turn


def decide(conversation: UUID, call: UUID, *, approved: bool, now: datetime) -> bool:
    """Store the customer's answer; False when there is no such open question in this conversation."""
    state = ToolCall.State.APPROVED if approved else ToolCall.State.DECLINED
    # The question may be answered while its turn is about to end; not when the turn has ended otherwise.
    asked = Q(turn__state=Turn.State.RUNNING) | Q(turn__outcome=Turn.Outcome.AWAITING_APPROVAL)
    proposed = ToolCall.objects.filter(asked, turn__conversation=conversation, expires_at__gt=now)
    return bool(proposed.filter(id=call, state=ToolCall.State.PROPOSED).update(state=state))


def open_in(conversation: UUID, now: datetime) -> list[ToolCall]:
    return list(
        ToolCall.objects.filter(
            turn__conversation=conversation,
            turn__outcome=Turn.Outcome.AWAITING_APPROVAL,
            state=ToolCall.State.PROPOSED,
            expires_at__gt=now,
        ).order_by("created_at")
    )


def take_back(turn: UUID) -> None:
    """A new attempt at a turn asks its own question: what the one before asked is not open any more."""
    _close(ToolCall.objects.filter(turn=turn, state=ToolCall.State.PROPOSED))


def expire(now: datetime) -> int:
    """Close questions that were not answered in time; how many."""
    return _close(ToolCall.objects.filter(state=ToolCall.State.PROPOSED, expires_at__lte=now))


def _close(late: QuerySet[ToolCall]) -> int:
    count = 0
    for call in late.select_related("turn"):
        if ToolCall.objects.filter(id=call.id, state=ToolCall.State.PROPOSED).update(
            state=ToolCall.State.EXPIRED
        ):
            events.approval_state(call.turn.conversation_id, call.id, "expired")
            count += 1
    return count
