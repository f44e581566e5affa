"""Delete what was said in conversations, and the keys to it. Turns, and what they took, stay as numbers."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet

from accounts import quota
from accounts.models import Lookup
from bot.models import Conversation, Message, ToolCall, Turn, VaultEntry

# Whoever is masking something has given placeholders that no stored text names yet.
_DELETE_UNNAMED = """
DELETE FROM bot_vaultentry
 USING (SELECT id AS entry, conversation_id AS conversation, concat('<', kind, '_', number, '>') AS name
          FROM bot_vaultentry
         WHERE conversation_id = ANY(%(conversations)s)) known
 WHERE id = known.entry
   AND NOT EXISTS (
       SELECT FROM bot_message
        WHERE conversation_id = known.conversation
          AND (masked IS NULL OR strpos(concat(masked, cards, sources), known.name) > 0))
   AND NOT EXISTS (
       SELECT FROM bot_turn turn LEFT JOIN bot_toolcall call ON call.turn_id = turn.id
        WHERE turn.conversation_id = known.conversation
          AND (turn.state <> 'done' OR strpos(concat(arguments, result, title, lines), known.name) > 0))
"""


@dataclass(frozen=True)
class Counts:
    """How much was deleted."""

    conversations: int = 0
    messages: int = 0
    calls: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.conversations + other.conversations,
            self.messages + other.messages,
            self.calls + other.calls,
        )


def forget(conversations: QuerySet[Conversation], now: datetime) -> Counts:
    """Close these conversations and keep nothing of them but numbers; inside the caller's transaction.

    1. Lock them: nobody says anything there any more.
    2. End what is under way: its worker finds itself fenced, and stores no reply.
    3. Delete what was said, done and remembered, and destroy the keys.

    Whoever posts locks a conversation before its turns, and so does this. Nobody who has locked a turn waits
    for it: the conversations are locked as if no key of theirs could change, which goes with inserts.
    """
    ids = [*conversations.select_for_update(no_key=True).order_by("id").values_list("id", flat=True)]
    _end_turns(ids, now)
    deleted = _delete(ids)
    known = Conversation.objects.filter(id__in=ids)
    known.filter(closed_at=None).update(closed_at=now, waiting_since=None)
    known.update(wrapped_key=b"", forgotten_at=now)
    return Counts(len(ids)) + deleted


def sweep(conversations: QuerySet[Conversation]) -> Counts:
    """Delete what somebody has written who did not know yet that the conversation is forgotten."""
    return _delete([*conversations.exclude(forgotten_at=None).values_list("id", flat=True)])


def forget_unnamed(conversations: QuerySet[Conversation]) -> None:
    """Delete the values that nothing left of these conversations names; inside the caller's transaction.

    They are locked, so that nobody begins to say something there that names one.
    """
    ids = [*conversations.select_for_update(no_key=True).order_by("id").values_list("id", flat=True)]
    with connection.cursor() as cursor:
        cursor.execute(_DELETE_UNNAMED, {"conversations": ids})


def _end_turns(conversations: Collection[UUID], now: datetime) -> None:
    under_way = Turn.objects.filter(conversation__in=conversations).exclude(state=Turn.State.DONE)
    ids = [
        *under_way.select_for_update(no_key=True, of=("self",)).order_by("id").values_list("id", flat=True)
    ]
    Turn.objects.filter(id__in=ids).update(
        state=Turn.State.DONE,
        outcome=Turn.Outcome.STOPPED,
        reason="forgotten",
        attempt=F("attempt") + 1,
        lease_until=None,
        deferred=False,
        finished_at=now,
    )
    quota.release(*ids)


def _delete(conversations: Collection[UUID]) -> Counts:
    messages, _ = Message.objects.filter(conversation__in=conversations).delete()
    calls, _ = ToolCall.objects.filter(turn__conversation__in=conversations).delete()
    VaultEntry.objects.filter(conversation__in=conversations).delete()
    Lookup.objects.filter(conversation__in=conversations).delete()
    return Counts(messages=messages, calls=calls)
