"""Read what was said as the model may: every message is scrubbed once, before anybody else sees it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.fernet import Fernet
from django.db.models import Q

from bot import events
from bot.models import Message, Turn
from bot.privacy import veil as veils
from bot.privacy.veil import Veil
from bot.steps.work import Work

AT_ONCE = 100


def scrub(work: Work) -> None:
    """Mask what is not masked yet and find the question; raises PrivacyError and masks nothing."""
    asked = Q(turn__in=_turns(work), author=Message.Author.CUSTOMER)
    rows = Message.objects.filter(asked | Q(masked__isnull=True), conversation=work.conversation)
    said = list(rows.order_by("id"))
    unread = [message for message in said if message.masked is None]
    _mask(unread, work.veil, work.conversation.data_key)
    work.question = "\n".join(
        message.masked or ""
        for message in said
        if message.turn_id in _turns(work) and message.author == Message.Author.CUSTOMER
    )


def scrub_one(message_id: int) -> None:
    """Mask a message that no turn will read: one to or from a person."""
    message = (
        Message.objects.filter(id=message_id, masked__isnull=True)
        .select_related("conversation__customer")
        .first()
    )
    if message:
        conversation = message.conversation
        _mask([message], veils.of(conversation), conversation.data_key)


def left(now: datetime) -> list[int]:
    """Messages that nobody has scrubbed though there was time: the scrubber was down, or the job was lost."""
    late = Message.objects.filter(masked__isnull=True, created_at__lt=now - timedelta(seconds=20))
    busy = late.filter(turn__isnull=False).exclude(turn__state=Turn.State.DONE)
    return list(late.exclude(id__in=busy.values("id")).order_by("id").values_list("id", flat=True)[:AT_ONCE])


def unscrubbed(work: Work) -> str:
    """The question as it was typed, for answers found in this very process."""
    key = Fernet(work.conversation.data_key)
    return "\n".join(key.decrypt(bytes(message.sealed)).decode() for message in _asked(work))


def _asked(work: Work) -> list[Message]:
    asked = Message.objects.filter(turn__in=_turns(work), author=Message.Author.CUSTOMER)
    return list(asked.order_by("id"))


def _turns(work: Work) -> list[UUID]:
    """The turns whose messages are answered: with this one, the one whose real answer was put off."""
    return [turn for turn in (work.turn.answers_id, work.turn.id) if turn]


def _mask(messages: Sequence[Message], veil: Veil, data_key: bytes) -> None:
    if not messages:
        return
    key = Fernet(data_key)
    said = [key.decrypt(bytes(message.sealed)).decode() for message in messages]
    for message, masked in zip(messages, veil.mask(said), strict=True):
        message.masked = masked
        if Message.objects.filter(id=message.id, masked__isnull=True).update(masked=masked):
            events.scrubbed(message.conversation_id, message.uuid)
