"""Changes that the bot has proposed: the customer's yes or no, and the end of questions nobody answers."""

from datetime import datetime
from uuid import UUID

from bot import events
from bot.models import ToolCall


def decide(conversation: UUID, call: UUID, *, approved: bool, now: datetime) -> bool:
    """Store the customer's answer; False when there is no such open question in this conversation."""
    state = ToolCall.State.APPROVED if approved else ToolCall.State.DECLINED
    return bool(
        ToolCall.objects.filter(
            id=call,
            turn__conversation=conversation,
            state=ToolCall.State.PROPOSED,
            expires_at__gt=now,
        ).update(state=state)
    )


def open_in(conversation: UUID, now: datetime) -> list[ToolCall]:
    return list(
        ToolCall.objects.filter(
            turn__conversation=conversation, state=ToolCall.State.PROPOSED, expires_at__gt=now
        ).order_by("created_at")
    )


def expire(now: datetime) -> int:
    """Close questions that were not answered in time; how many."""
    late = ToolCall.objects.filter(state=ToolCall.State.PROPOSED, expires_at__lte=now)
    count = 0
    for call in late.select_related("turn"):
        if ToolCall.objects.filter(id=call.id, state=ToolCall.State.PROPOSED).update(
            state=ToolCall.State.EXPIRED
        ):
            events.approval_state(call.turn.conversation_id, call.id, "expired")
            count += 1
    return count
