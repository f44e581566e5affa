"""A conversation going from bot to a person and back, and what the person says.

Every change is one conditional update: of two agents at once one wins, and the other is told who it was.

HandoverError
├── TakenAlready   another agent has the conversation; `name` says who
└── NotYours       only the agent who has the conversation may do this
"""

from uuid import UUID, uuid4

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone

from accounts.models import User
from bot import events, words
from bot.errors import BotError, Rejected, Unknown
from bot.models import Conversation, Message
from bot.privacy.restore import restore, straighten
from bot.reply import fence

BOT, QUEUE, PERSON = Conversation.Handler.BOT, Conversation.Handler.QUEUE, Conversation.Handler.PERSON


class HandoverError(BotError):
    """A member of staff cannot do this to the conversation."""


class TakenAlready(HandoverError):
    """Another agent has the conversation."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has this conversation")
        self.name = name


class NotYours(HandoverError):
    """Only the agent who has the conversation may do this."""


def lock(conversation_id: UUID) -> None:
    """Have the conversation until the transaction ends.

    Whoever says something locks it before its turns, and so does who ends a turn and asks for a person.
    """
    Conversation.objects.filter(id=conversation_id).select_for_update(no_key=True).values_list("id").first()


def join_queue(conversation_id: UUID, reason: events.HandoverReason) -> bool:
    """Put the conversation in line for a person; False when it waits, or is with one, already."""
    now = timezone.now()
    with transaction.atomic():
        joined = (
            _open(conversation_id)
            .filter(handler=BOT)
            .update(handler=QUEUE, handover_reason=reason, waiting_since=now, active_at=now)
        )
        if joined:
            _announce(conversation_id, "queue", "handover.waiting")
    return bool(joined)


def leave_queue(conversation_id: UUID) -> bool:
    """The customer no longer waits for a person; False when they did not."""
    with transaction.atomic():
        left = (
            _open(conversation_id)
            .filter(handler=QUEUE)
            .update(handler=BOT, handover_reason="", waiting_since=None, active_at=timezone.now())
        )
        if left:
            _announce(conversation_id, "bot", "handover.cancelled")
    return bool(left)


def take_over(agent: User, conversation_id: UUID, *, force: bool = False) -> None:
    """Give the conversation to this agent; with `force` also when another one has it.

    1. claim it
    2. end the bot's work on it with what was shown so far
    3. tell the customer who has joined

    Three transactions: the second waits for Redis, and nobody should wait for a conversation meanwhile.
    """
    if _claim(agent, conversation_id, force):
        fence(conversation_id, "handed_over")
        with transaction.atomic():
            _announce(conversation_id, "person", "handover.joined", agent)


def reply(agent: User, conversation_id: UUID, text: str, uuid: UUID | None = None) -> Message:
    """Say something as the agent who has the conversation; a repeated `uuid` finds what was said before.

    A placeholder the agent typed becomes a neutral word. Were its value put in, an agent who may not reveal
    it would read it at the desk wherever the scrubber does not find it again, as in `a<PERSON_1>b`.
    """
    text = text.strip()
    if not text:
        raise Rejected("invalid")
    if len(text) > settings.MESSAGE_MAX_CHARS:
        raise Rejected("too_long", limit=settings.MESSAGE_MAX_CHARS)
    with transaction.atomic():
        # Holds the row until the message is stored: nobody can take the conversation in between.
        if not _held(agent, conversation_id).update(active_at=timezone.now()):
            raise _refusal(conversation_id)
        conversation = Conversation.objects.get(id=conversation_id)
        said = restore(straighten(text, ()), {}, conversation.locale)
        message, created = Message.objects.get_or_create(
            conversation=conversation,
            uuid=uuid or uuid4(),
            defaults={
                "author": Message.Author.AGENT,
                "agent": agent,
                "source": "staff",
                "sealed": Fernet(conversation.data_key).encrypt(said.encode()),
            },
        )
        if created:
            transaction.on_commit(lambda: events.message_posted(conversation_id, message.uuid))
    return message


def hand_back(agent: User, conversation_id: UUID) -> None:
    """Give the conversation back to the bot."""
    with transaction.atomic():
        given = _held(agent, conversation_id).update(handler=BOT, agent=None, active_at=timezone.now())
        if not given:
            raise _refusal(conversation_id)
        _announce(conversation_id, "bot", "handover.back", agent)


def close(agent: User, conversation_id: UUID) -> None:
    """End the conversation; refused while another agent has it."""
    now = timezone.now()
    free = _open(conversation_id).exclude(handler=PERSON) | _held(agent, conversation_id)
    if not free.update(closed_at=now, waiting_since=None, active_at=now):
        raise _refusal(conversation_id)
    fence(conversation_id, "stopped")
    with transaction.atomic():
        _say(conversation_id, "handover.closed", agent)
        transaction.on_commit(lambda: events.closed(conversation_id))


def _open(conversation_id: UUID) -> QuerySet[Conversation]:
    return Conversation.objects.filter(id=conversation_id, closed_at__isnull=True)


def _held(agent: User, conversation_id: UUID) -> QuerySet[Conversation]:
    return _open(conversation_id).filter(handler=PERSON, agent=agent)


def _claim(agent: User, conversation_id: UUID, force: bool) -> bool:
    """True when the conversation has just become this agent's, False when it was before."""
    free = _open(conversation_id).exclude(handler=PERSON)
    if force:
        free = _open(conversation_id).exclude(handler=PERSON, agent=agent)
    if free.update(
        handler=PERSON,
        agent=agent,
        # A reason belongs to the wait that ends here, not to one long over.
        handover_reason=Case(When(handler=BOT, then=Value("")), default=F("handover_reason")),
        waiting_since=None,
        active_at=timezone.now(),
    ):
        return True
    if _held(agent, conversation_id).exists():
        return False
    raise _refusal(conversation_id)


def _refusal(conversation_id: UUID) -> BotError:
    """Why an agent who does not have the conversation cannot act on it."""
    conversation = _open(conversation_id).select_related("agent").first()
    if conversation is None:
        return Unknown("no such open conversation")
    if conversation.agent is None:
        return NotYours("take the conversation over first")
    return TakenAlready(str(conversation.agent))


def _announce(
    conversation_id: UUID, handler: events.Handler, sentence: str, agent: User | None = None
) -> None:
    """Tell the customer, and everybody who watches, who has the conversation now."""
    _say(conversation_id, sentence, agent)
    name = agent.name if agent and handler == "person" else None
    transaction.on_commit(lambda: events.status(conversation_id, handler, name))


def _say(conversation_id: UUID, sentence: str, agent: User | None) -> None:
    locale = Conversation.objects.values_list("locale", flat=True).get(id=conversation_id)
    name = agent.name if agent and agent.name else words.say("handover.colleague", locale)
    message = Message.objects.create(
        conversation_id=conversation_id,
        author=Message.Author.SYSTEM,
        masked=words.say(sentence, locale, name=name),
        source="system",
    )
    transaction.on_commit(lambda: events.message_posted(conversation_id, message.uuid))
