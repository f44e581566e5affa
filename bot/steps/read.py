"""Read what was said as the model may: every message is scrubbed once, before anybody else sees it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from cryptography.fernet import Fernet
from django.db import connection, transaction

from bot import events, words
from bot.models import Conversation, Message, Turn
from bot.privacy import veil as veils
from bot.privacy.engine import MAX_CHARACTERS
from bot.privacy.veil import Done, Veil
from bot.steps.work import Work

AT_ONCE = 100
# What looks like a placeholder is written as words, which takes at most a fifth more: `<IP_1`, `‹IP 1›`.
MOST_CHARACTERS = MAX_CHARACTERS * 4 // 5

# What the turn answers, and what else of the conversation nobody has scrubbed yet, in order.
_SAID = """
SELECT message.id, uuid, sealed, masked, staff.name,
       turn_id = ANY(%(turns)s) AND author = 'customer'
  FROM bot_message message LEFT JOIN accounts_user staff ON staff.id = agent_id
 WHERE conversation_id = %(conversation)s
   AND (masked IS NULL OR turn_id = ANY(%(turns)s) AND author = 'customer')
 ORDER BY message.id
"""
_MASK = """
UPDATE bot_message SET masked = %(masked)s, sealed = coalesce(%(sealed)s, sealed)
 WHERE id = %(id)s AND masked IS NULL
"""


class _Said(NamedTuple):
    """A message; `agent` is who of the staff said it, `asks` when the turn answers it."""

    id: int
    uuid: UUID
    sealed: bytes
    masked: str | None
    agent: str | None
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
        .select_related("agent", "conversation__customer", "conversation__site", "conversation__agent")
        .first()
    )
    if message:
        conversation = message.conversation
        agent = message.agent.name if message.agent else None
        said = _Said(message.pk, message.uuid, bytes(message.sealed), None, agent, asks=None)
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
    """Store what may be read of these messages; by id.

    1. Scrub them, by as few calls as hold them. Who answers here may be called by their name.
    2. Store the masked texts; what the site refuses is dropped from the sealed ones as well, and told.
    3. Let staff find the customer by the addresses and numbers in them.
    """
    if not messages:
        return {}
    key = Fernet(conversation.data_key)
    veil.public |= {message.agent for message in messages if message.agent}
    texts = [key.decrypt(bytes(message.sealed)).decode() for message in messages]
    done = [one for batch in _batches(texts) for one in veil.read(batch)]
    with transaction.atomic():
        for message, one in zip(messages, done, strict=True):
            if _store(message, one, key, conversation):
                veils.remember(conversation, one.found)
    return {message.id: one.masked for message, one in zip(messages, done, strict=True)}


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in order, as many at once as the scrubber reads by one call."""
    batch: list[str] = []
    for text in texts:
        if batch and sum(map(len, batch)) + len(text) > MOST_CHARACTERS:
            yield batch
            batch = []
        batch.append(text)
    yield batch


def _store(message: _Said, done: Done, key: Fernet, conversation: Conversation) -> bool:
    """Store one masked text; False where another worker was first."""
    sealed = key.encrypt(done.said.encode()) if done.refused else None
    with connection.cursor() as cursor:
        cursor.execute(_MASK, {"masked": done.masked, "sealed": sealed, "id": message.id})
        if not cursor.rowcount:
            return False
    reworded = bool(done.refused)
    transaction.on_commit(lambda: events.scrubbed(conversation.id, message.uuid, reworded=reworded))
    if done.refused:
        _tell_what_was_dropped(message, sorted(done.refused), conversation)
    return True


def _tell_what_was_dropped(message: _Said, kinds: Sequence[str], conversation: Conversation) -> None:
    locale = conversation.locale
    things = words.all_of([words.say(f"things.{kind}", locale) for kind in kinds], locale)
    sentence = "removed.agent" if message.agent is not None else "removed.customer"
    told = Message.objects.create(
        conversation=conversation,
        author=Message.Author.SYSTEM,
        masked=words.say(sentence, locale, things=things),
        source="system",
    )
    transaction.on_commit(lambda: events.message_posted(conversation.id, told.uuid))
