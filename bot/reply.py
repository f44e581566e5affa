"""The one place where a turn ends: the reply is stored under the fence, the quota settled, `final` sent.

A worker that has answered, a customer who stops, an agent who takes over and a rescue that gives up all come
here. Whoever moves the turn to done first has ended it; everybody else finds it done.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import quota
from bot import events
from bot.models import Conversation, Message, ToolCall, Turn


@dataclass
class Reply:
    """What a turn ends with; `text` holds placeholders."""

    text: str
    outcome: events.Outcome
    source: str
    reason: str = ""
    model: str = ""
    model_class: str = ""
    cards: list[dict[str, Any]] = field(default_factory=list)
    sources: list[events.Source] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None
    first_text_at: datetime | None = None
    # Counts as a message: text of a model was shown.
    counts: bool = False
    # Why a person has to go on.
    handover: events.HandoverReason | None = None


def end(turn: Turn, attempt: int, reply: Reply, log: events.TurnLog) -> Message | None:
    """Store `reply` and send `final`; None when this attempt does not hold the turn any more.

    `turn` comes with its conversation, customer and site.
    """
    with transaction.atomic():
        if not _close(turn, attempt, reply):
            return None
        message = Message.objects.create(
            conversation_id=turn.conversation_id,
            author=Message.Author.BOT,
            turn=turn,
            masked=reply.text,
            source=reply.source,
            cards=reply.cards,
            sources=reply.sources,
        )
        Conversation.objects.filter(id=turn.conversation_id).update(active_at=message.created_at)
        (quota.settle if reply.counts else quota.release)(turn.id)
        # Asked here, for once the turn is done nothing may fail before `final` is on its way.
        left = allowance(turn.conversation)
        transaction.on_commit(lambda: _tell(turn, message, reply, left, log))
    return message


def _tell(
    turn: Turn, message: Message, reply: Reply, left: events.AllowanceBody, log: events.TurnLog
) -> None:
    log.final(events.message_body(message, reply.text), reply.outcome, left)
    events.desk_changed(turn.conversation_id)


def _close(turn: Turn, attempt: int, reply: Reply) -> bool:
    """Ownership is part of the statement: the bot says nothing once a person has the conversation."""
    held = Turn.objects.filter(id=turn.id, attempt=attempt).exclude(state=Turn.State.DONE)
    if reply.outcome != "handed_over":
        held = held.filter(conversation__handler=Conversation.Handler.BOT)
    return bool(
        held.update(
            state=Turn.State.DONE,
            outcome=reply.outcome,
            source=reply.source,
            reason=reply.reason,
            model=reply.model,
            model_class=reply.model_class,
            input_tokens=reply.input_tokens,
            output_tokens=reply.output_tokens,
            cost=reply.cost,
            first_text_at=reply.first_text_at,
            finished_at=timezone.now(),
        )
    )


def fence(conversation: UUID, outcome: events.Outcome, turn: UUID | None = None) -> int:
    """End the turns under way in a conversation (or just `turn`) with what was shown; how many."""
    under_way = Turn.objects.filter(conversation=conversation).exclude(state=Turn.State.DONE)
    if turn is not None:
        under_way = under_way.filter(id=turn)
    # Running before queued: a conversation has one running turn.
    rows = under_way.select_related("conversation__customer__site__default_tier").order_by("-state")
    ended = [row for row in rows if _fence_one(row, outcome)]
    for row in ended:
        leave_undone(row)
    return len(ended)


def _fence_one(turn: Turn, outcome: events.Outcome) -> bool:
    if turn.state == Turn.State.QUEUED:
        # It ends where it waits: nothing was shown, and another turn may be running.
        log = events.TurnLog(turn.id, turn.attempt, turn.conversation_id)
        if end(turn, turn.attempt, Reply("", outcome, "system", reason=outcome), log):
            return True
        # A worker has just begun it.
        turn.refresh_from_db(fields=["attempt", "state"])
    attempt = turn.attempt + 1
    raised = (
        Turn.objects.filter(id=turn.id, attempt=turn.attempt)
        .exclude(state=Turn.State.DONE)
        .update(
            state=Turn.State.RUNNING,
            attempt=F("attempt") + 1,
            lease_until=timezone.now() + timedelta(seconds=5),
        )
    )
    if not raised:
        return False
    log = events.TurnLog(turn.id, attempt, turn.conversation_id)
    shown = log.take_over()
    if shown is None:
        # The reply must stay what the customer sees, so that is taken back.
        log.reset()
    reply = Reply(
        text=shown or "",
        outcome=outcome,
        source="model" if shown else "system",
        reason=outcome,
        counts=bool(shown),
    )
    return end(turn, attempt, reply, log) is not None


def leave_undone(turn: Turn) -> None:
    """A change that was approved and that nobody has begun is not made any more: its turn is over."""
    approved = ToolCall.objects.filter(carried_by=turn, state=ToolCall.State.APPROVED)
    for call in list(approved.values_list("id", flat=True)):
        if approved.filter(id=call).update(state=ToolCall.State.EXPIRED):
            events.approval_state(turn.conversation_id, call, "expired")


def allowance(conversation: Conversation) -> events.AllowanceBody:
    """What the customer may still use, in the words of the conversation's language."""
    used = quota.allowance(conversation.customer)
    return events.AllowanceBody.model_validate(used.as_json())
