"""Read what was said as the model may: every message is scrubbed once, before anybody else sees it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from cryptography.fernet import Fernet
from django.db import connection

from bot import events
from bot.models import Conversation, Message, Turn
from bot.privacy import veil as veils
from bot.privacy.veil import Veil
from bot.steps.work import Work

AT_ONCE = 100

# What the turn answers, and what else of the conversation nobody has scrubbed yet, in order.
_SAID = """
SELECT id, uuid, sealed, masked, turn_id = ANY(%(turns)s) AND author = 'customer'
  FROM bot_message
 WHERE conversation_id = %(conversation)s
   AND (masked IS NULL OR turn_id = ANY(%(turns)s) AND author = 'customer')
 ORDER BY id
"""
_MASK = "UPDATE bot_message SET masked = %s WHERE id = %s AND masked IS NULL"


class _Said(NamedTuple):
    """A message; `asks` when the turn answers it."""

    id: int
    uuid: UUID
    sealed: bytes
    masked: str | None
    asks: bool | None


def scrub(work: Work) -> None:
    """Mask what is not masked yet and find the question; raises PrivacyError and masks nothing."""
    said = _said(work)
    masked = _mask([one for one in said if one.masked is None], work.veil, work.conversation)
    work.question = "\n".join(one.masked or masked.get(one.id, "") for one in said if one.asks)


def scrub_one(message_id: int) -> None:
    """Mask a message that no turn will read: one to or from a person."""
    message = (
        Message.objects.filter(id=message_id, masked__isnull=True)
        .select_related("conversation__customer")
        .first()
    )
    if message:
        conversation = message.conversation
        said = _Said(message.pk, message.uuid, bytes(message.sealed), None, asks=None)
        _mask([said], veils.of(conversation), conversation)


def left(now: datetime) -> list[int]:
    """Messages that nobody has scrubbed though there was time: the scrubber was down, or the job was lost."""
    late = Message.objects.filter(masked__isnull=True, created_at__lt=now - timedelta(seconds=20))
    busy = late.filter(turn__isnull=False).exclude(turn__state=Turn.State.DONE)
    return list(late.exclude(id__in=busy.values("id")).order_by("id").values_list("id", flat=True)[:AT_ONCE])


def unscrubbed(work: Work) -> str:
    """The question as it was typed, for answers found in this very process."""
    key = Fernet(work.conversation.data_key)
    return "\n".join(key.decrypt(bytes(one.sealed)).decode() for one in _said(work) if one.asks)


def _said(work: Work) -> list[_Said]:
    """What the turn answers: with its own messages, those of the turn whose real answer was put off."""
    turns = [turn for turn in (work.turn.answers_id, work.turn.id) if turn]
    with connection.cursor() as cursor:
        cursor.execute(_SAID, {"conversation": work.conversation.id, "turns": turns})
        return [_Said(*row) for row in cursor.fetchall()]


def _mask(messages: Sequence[_Said], veil: Veil, conversation: Conversation) -> dict[int, str]:
    """Store what may be read of these messages; by id."""
    if not messages:
        return {}
    key = Fernet(conversation.data_key)
    texts = veil.mask([key.decrypt(bytes(message.sealed)).decode() for message in messages])
    with connection.cursor() as cursor:
        for message, masked in zip(messages, texts, strict=True):
            cursor.execute(_MASK, [masked, message.id])
            if cursor.rowcount:
                events.scrubbed(conversation.id, message.uuid)
    return {message.id: masked for message, masked in zip(messages, texts, strict=True)}
