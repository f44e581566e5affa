"""The one place where a turn ends: the reply is stored under the fence, the quota settled, `final` sent.

A worker that has answered, a customer who stops, an agent who takes over and a rescue that gives up all come
here. Whoever moves the turn to done first has ended it; everybody else finds it done.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils import timezone

from accounts import allowance as allowances
from accounts import quota
from bot import events, metrics
from bot.models import Conversation, Message, ToolCall, Turn

# Whoever raises a fence ends the turn within so many seconds, or the rescue does.
FENCE_SECONDS = 5


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
    # When text of a model was first shown.
    first_text_at: datetime | None = None
    # The customer has seen the text already.
    streamed: bool = False
    # Counts as a message: text of a model was shown.
    counts: bool = False
    # The real answer will follow, in a turn of its own.
    deferred: bool = False
    # Why a person has to go on.
    handover: events.HandoverReason | None = None


# Ownership is part of the statement: the bot says nothing once a person has the conversation. Whoever posts
# locks the conversation before its turns; this one has the turn and never waits for the conversation, which
# is active anyway while somebody holds it.
_END = """
WITH ended AS (
    UPDATE bot_turn
       SET state = 'done', outcome = %(outcome)s, source = %(source)s, reason = %(reason)s,
           model = CASE WHEN %(model)s <> '' THEN %(model)s ELSE model END,
           model_class = CASE WHEN %(model)s <> '' THEN %(model_class)s ELSE model_class END,
           input_tokens = %(input_tokens)s, output_tokens = %(output_tokens)s, cost = %(cost)s,
           first_text_at = CASE WHEN %(counts)s THEN coalesce(%(first_text_at)s, first_text_at) END,
           deferred = %(deferred)s, finished_at = %(now)s, lease_until = NULL
     WHERE id = %(turn)s AND attempt = %(attempt)s AND state <> 'done'
       AND outcome IN ('', %(outcome)s)
       AND (%(fenced)s OR %(outcome)s = 'handed_over' OR EXISTS (
           SELECT 1 FROM bot_conversation c WHERE c.id = conversation_id AND c.handler = 'bot'))
 RETURNING id, conversation_id
), said AS (
    INSERT INTO bot_message (uuid, conversation_id, author, turn_id, sealed, masked, source, cards, sources,
                             sealed_comment, created_at)
    SELECT %(message)s, conversation_id, 'bot', id, '', %(text)s, %(source)s, %(cards)s::jsonb,
           %(sources)s::jsonb, '', %(now)s
      FROM ended
), active AS (
    UPDATE bot_conversation SET active_at = %(now)s
     WHERE id IN (SELECT c.id FROM bot_conversation c JOIN ended ON c.id = ended.conversation_id
                     FOR NO KEY UPDATE OF c SKIP LOCKED)
)
SELECT count(*) FROM ended
"""


def end(
    turn: Turn, attempt: int, reply: Reply, log: events.TurnLog, *, fenced: bool = False
) -> Message | None:
    """Store `reply` and send `final`; None when this attempt does not hold the turn any more.

    `turn` comes with its conversation, customer and site. `fenced`: it ends what somebody has cut short,
    whoever has the conversation by now.
    """
    message = Message(
        uuid=uuid4(),
        conversation_id=turn.conversation_id,
        author=Message.Author.BOT,
        turn=turn,
        masked=reply.text,
        source=reply.source,
        cards=reply.cards,
        sources=reply.sources,
        created_at=timezone.now(),
    )
    with transaction.atomic(savepoint=False):
        if not _store(turn, attempt, reply, message, fenced):
            return None
        turn.deferred = reply.deferred
        (quota.settle if reply.counts else quota.release)(turn.id)
        # Asked here, for once the turn is done nothing may fail before `final` is on its way.
        left = allowance(turn.conversation)
        transaction.on_commit(lambda: _tell(turn, message, reply, left, log))
    return message


def _store(turn: Turn, attempt: int, reply: Reply, message: Message, fenced: bool) -> bool:
    facts: dict[str, Any] = {
        "turn": turn.id,
        "attempt": attempt,
        "fenced": fenced,
        "now": message.created_at,
        "message": message.uuid,
        "text": reply.text,
        "cards": json.dumps(reply.cards),
        "sources": json.dumps(reply.sources),
    }
    names = ("outcome", "source", "reason", "model", "model_class", "input_tokens", "output_tokens", "cost")
    facts |= {name: getattr(reply, name) for name in (*names, "first_text_at", "counts", "deferred")}
    with connection.cursor() as cursor:
        cursor.execute(_END, facts)
        return bool(cursor.fetchone()[0])


def _tell(
    turn: Turn, message: Message, reply: Reply, left: events.AllowanceBody, log: events.TurnLog
) -> None:
    if not reply.streamed:
        log.text(reply.text)
    log.final(events.message_body(message, reply.text), reply.outcome, left)
    events.desk_changed(turn.conversation_id)
    _count(turn, message, reply)


def _count(turn: Turn, message: Message, reply: Reply) -> None:
    metrics.count("turns", outcome=reply.outcome, source=reply.source)
    metrics.observe(
        "turn_seconds", (message.created_at - turn.queued_at).total_seconds(), source=reply.source
    )
    if reply.deferred:
        metrics.count("turns_deferred")
    if reply.first_text_at:
        waited = (reply.first_text_at - turn.queued_at).total_seconds()
        metrics.observe("first_text_seconds", waited, model_class=reply.model_class)


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
        if end(turn, turn.attempt, Reply("", outcome, "system", reason=outcome), log, fenced=True):
            return True
        # A worker has just begun it.
    attempt = _raise_fence(turn, outcome)
    return attempt is not None and end_fenced(turn, attempt, outcome)


def _raise_fence(turn: Turn, outcome: events.Outcome) -> int | None:
    """Whoever dies after this has said how the turn is to end; the lease says when the rescue does it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bot_turn SET attempt = attempt + 1, outcome = %s, lease_until = %s"
            " WHERE id = %s AND state = 'running' AND outcome = '' RETURNING attempt",
            [outcome, timezone.now() + timedelta(seconds=FENCE_SECONDS), turn.id],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def end_fenced(turn: Turn, attempt: int, outcome: events.Outcome) -> bool:
    """End a turn whose fence was raised with what the customer has seen of it."""
    log = events.TurnLog(turn.id, attempt, turn.conversation_id)
    shown = log.take_over_shown()
    if shown is None:
        # The reply must stay what the customer sees, so that is taken back.
        log.reset()
    text = shown.text if shown else ""
    reply = Reply(
        text=text,
        outcome=outcome,
        source="model" if text else "system",
        reason=outcome,
        cards=shown.cards if shown else [],
        streamed=True,
        counts=bool(text),
    )
    return end(turn, attempt, reply, log, fenced=True) is not None


def leave_undone(turn: Turn) -> None:
    """A change that was approved and that nobody has begun is not made any more: its turn is over."""
    approved = ToolCall.objects.filter(carried_by=turn, state=ToolCall.State.APPROVED)
    for call in list(approved.values_list("id", flat=True)):
        if approved.filter(id=call).update(state=ToolCall.State.EXPIRED):
            events.approval_state(turn.conversation_id, call, "expired")


def allowance(conversation: Conversation) -> events.AllowanceBody:
    """What the customer may still use, in the words of the conversation's language."""
    used = allowances.of(conversation.customer)
    return events.AllowanceBody.model_validate(used.as_json())
