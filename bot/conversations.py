"""What a customer can do: open, post, stop, approve, ask for a person, rate, be written to, look back, close.

Every function takes a conversation of the caller's customer; ids from outside are looked up within it, so
that unknown and foreign ones answer alike.
"""

import unicodedata
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from cryptography.fernet import Fernet
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import contact, lookups
from accounts.models import Customer
from bot import events, leases, queue, reply, words
from bot.desk import approvals, handover
from bot.errors import Rejected, Unknown
from bot.models import Conversation, Message, ToolCall, Turn
from bot.privacy.vault import Vault
from bot.steps import ceilings

PAGE = 50
COMMENT_CHARACTERS = 1000

# Nothing here waits for a turn under way: whoever has locked one may be about to lock the conversation.
_POST_FIRST = """
WITH here AS (
    UPDATE bot_conversation
       SET active_at = %(now)s, locale = coalesce(nullif(%(locale)s, ''), locale)
     WHERE id = %(conversation)s AND customer_id = %(customer)s AND closed_at IS NULL AND handler = 'bot'
       AND NOT EXISTS (
           SELECT 1 FROM bot_turn WHERE conversation_id = %(conversation)s AND state <> 'done')
       AND NOT EXISTS (
           SELECT 1 FROM bot_message WHERE conversation_id = %(conversation)s AND uuid = %(uuid)s)
 RETURNING id
), opened AS (
    INSERT INTO bot_turn (id, conversation_id, state, outcome, attempt, rank, source, model, model_class,
                          reason, input_tokens, output_tokens, queued_at)
    SELECT %(turn)s, id, 'queued', '', 0, %(rank)s, '', '', '', '', 0, 0, %(now)s FROM here
 RETURNING id, conversation_id
)
INSERT INTO bot_message (uuid, conversation_id, author, turn_id, sealed, source, cards, sources,
                         sealed_comment, created_at)
SELECT %(uuid)s, conversation_id, 'customer', id, %(sealed)s, '', '[]', '[]', '', %(now)s FROM opened
RETURNING id, turn_id
"""


@dataclass(frozen=True)
class Posted:
    """A stored message; `turn` will answer it, unless a person has the conversation."""

    message: Message
    turn: UUID | None
    new: bool


def current(customer: Customer, locale: str) -> Conversation:
    """The customer's open conversation, opened now if there is none."""
    opened = Conversation.objects.filter(customer=customer, closed_at=None).select_related("agent").first()
    if opened is None:
        try:
            with transaction.atomic():
                # Who erases them meanwhile has seen it or is done: none is left open that was not closed.
                _lock(customer)
                return Conversation.objects.create(site_id=customer.site_id, customer=customer, locale=locale)
        except IntegrityError:
            # Another tab was first.
            opened = Conversation.objects.select_related("agent").get(customer=customer, closed_at=None)
    return opened


def adopt(anonymous: Customer, verified: Customer) -> None:
    """Give an anonymous visitor's open conversation to who they turn out to be, unless they have one open.

    Where to write to them goes with it. The visitor's other tabs leave it: an anonymous session never reads
    account data.
    """
    if anonymous.verified or anonymous.site_id != verified.site_id:
        return
    opened = Conversation.objects.filter(customer=anonymous, closed_at=None).first()
    if opened is None:
        return
    try:
        with transaction.atomic():
            _lock(anonymous, verified)
            adopted = Conversation.objects.filter(id=opened.id, customer=anonymous).update(customer=verified)
            if adopted:
                lookups.hand_over(opened.id, verified)
                contact.hand_over(anonymous, verified)
    except IntegrityError:
        # The verified customer's own open conversation wins.
        return
    if adopted:
        events.adopted(opened.id, verified.id)


def _lock(*customers: Customer) -> list[Customer]:
    """Their rows as they are now. Whoever erases locks a customer before their conversations, too."""
    rows = Customer.objects.select_for_update(no_key=True).filter(id__in=[one.id for one in customers])
    return [*rows.order_by("id")]


def post(
    customer: Customer, conversation_id: UUID, uuid: UUID, text: str, *, key: bytes, origin: str = ""
) -> Posted:
    """Store a message, sealed with the conversation's data key, and open or join its turn.

    The same uuid again finds the stored message and answers the same. Raises Rejected.
    """
    text = _checked(text, ceilings.question_characters(customer.effective_tier))
    message = Message(
        uuid=uuid,
        conversation_id=conversation_id,
        author=Message.Author.CUSTOMER,
        sealed=Fernet(key).encrypt(text.encode()),
        created_at=timezone.now(),
    )
    if _post_first(customer, message, text):
        transaction.on_commit(lambda: _after_post(message, origin))
        return Posted(message, message.turn_id, new=True)
    return _post_among_others(customer, message, text, origin)


def _post_first(customer: Customer, message: Message, text: str) -> bool:
    """Post where nothing else is under way, as is the rule, by one statement; False where that is not so."""
    facts: dict[str, Any] = {
        "conversation": message.conversation_id,
        "customer": customer.id,
        "locale": words.language_of(text, ""),
        "turn": uuid4(),
        "rank": customer.effective_tier.rank,
        "uuid": message.uuid,
        "sealed": message.sealed,
        "now": message.created_at,
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute(_POST_FIRST, facts)
            row = cursor.fetchone()
    except IntegrityError:
        # Another tab was first.
        return False
    if row:
        message.id, message.turn_id = row
    return row is not None


def _post_among_others(customer: Customer, message: Message, text: str, origin: str) -> Posted:
    """Post where a message with this uuid, a turn under way, or a person may be."""
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update(no_key=True).get(id=message.conversation_id)
        stored = Message.objects.filter(
            conversation=conversation, uuid=message.uuid, author=Message.Author.CUSTOMER
        ).first()
        if stored:
            return Posted(stored, stored.turn_id, new=False)
        if conversation.closed_at or conversation.customer_id != customer.id:
            raise Rejected("closed")
        message.turn_id = _turn_for(conversation, customer)
        message.save(force_insert=True)
        Conversation.objects.filter(id=conversation.id).update(
            active_at=message.created_at, locale=words.language_of(text, conversation.locale)
        )
        transaction.on_commit(lambda: _after_post(message, origin))
    return Posted(message, message.turn_id, new=True)


def _checked(text: str, longest: int) -> str:
    if len(text) > longest:
        raise Rejected("too_long", limit=longest)
    if not text.strip() or any(unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\r\t" for c in text):
        raise Rejected("invalid")
    return text.strip()


def _turn_for(conversation: Conversation, customer: Customer, *, join: bool = True) -> UUID | None:
    """The turn that will answer: the queued one, the running one while its text is unseen, or a new one.

    None while a person or the queue has the conversation. The row lock keeps a worker from claiming the
    queued turn before this message has joined it.
    """
    if conversation.handler != Conversation.Handler.BOT:
        return None
    queued = (
        Turn.objects.select_for_update().filter(conversation=conversation, state=Turn.State.QUEUED).first()
    )
    if queued is None:
        joined = leases.join(conversation.id) if join else None
        return joined or Turn.objects.create(conversation=conversation, rank=customer.effective_tier.rank).id
    if queued.deferred:
        # Somebody waits for it now.
        Turn.objects.filter(id=queued.id).update(deferred=False, queued_at=timezone.now())
    return queued.id


def _after_post(message: Message, origin: str) -> None:
    if message.turn_id:
        queue.ticket()
    else:
        queue.scrub_message(message.pk)
    events.message_posted(message.conversation_id, message.uuid, origin)


def stop(conversation_id: UUID, turn: UUID) -> None:
    """End a turn with what was shown. A turn that has ended meanwhile stays as it is."""
    if not Turn.objects.filter(id=turn, conversation=conversation_id).exists():
        raise Unknown
    reply.fence(conversation_id, "stopped", turn)
    if Turn.objects.filter(conversation=conversation_id, state=Turn.State.QUEUED).exists():
        queue.ticket()


def approve(conversation_id: UUID, call: UUID, *, approved: bool) -> None:
    """The customer's tap on a proposed change; a yes opens the turn that does it."""
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update(no_key=True).get(id=conversation_id)
        if conversation.closed_at:
            raise Unknown
        if not approvals.decide(conversation_id, call, approved=approved, now=timezone.now()):
            raise Unknown
        if not approved:
            transaction.on_commit(lambda: events.approval_state(conversation_id, call, "declined"))
            return
        turn = _turn_for(conversation, conversation.customer, join=False)
        if turn is None:
            # A person has the conversation by now: the bot changes nothing any more.
            raise Unknown
        ToolCall.objects.filter(id=call).update(carried_by=turn)
        transaction.on_commit(queue.ticket)


def ask_for_person(conversation_id: UUID) -> None:
    """Get in line for a person; the bot stops in the middle of what it says."""
    if handover.join_queue(conversation_id, "customer_request"):
        reply.fence(conversation_id, "handed_over")


def no_person_after_all(conversation_id: UUID) -> None:
    """Leave the line; the bot answers what was said while nobody came."""
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update(no_key=True).get(id=conversation_id)
        if not handover.leave_queue(conversation_id):
            return
        said = Message.objects.filter(conversation=conversation)
        heard = said.filter(author__in=[Message.Author.BOT, Message.Author.AGENT]).order_by("-id").first()
        unheard = said.filter(author=Message.Author.CUSTOMER, turn=None, id__gt=heard.pk if heard else 0)
        conversation.handler = Conversation.Handler.BOT
        if unheard.exists() and (turn := _turn_for(conversation, conversation.customer)):
            unheard.update(turn=turn)
            transaction.on_commit(queue.ticket)


def rate(conversation_id: UUID, message: UUID, score: int, comment: str, *, key: bytes) -> None:
    """Store a customer's judgement of a bot's or agent's message; the last one counts."""
    if score not in (1, -1) or len(comment) > COMMENT_CHARACTERS:
        raise Rejected("invalid")
    rated = Message.objects.filter(
        conversation=conversation_id, uuid=message, author__in=[Message.Author.BOT, Message.Author.AGENT]
    ).update(rating=score, sealed_comment=Fernet(key).encrypt(comment.encode()) if comment else b"")
    if not rated:
        raise Unknown
    events.rated(conversation_id, message)


def leave_contact(customer: Customer, conversation: Conversation, email: str, *, key: bytes) -> None:
    """Store where the customer wants a later answer, and say so in the conversation. Raises Rejected."""
    try:
        with transaction.atomic():
            _check_still_there(customer, conversation)
            if not contact.leave(customer, email):
                return
            placeholder = Vault(conversation.id, key).placeholder("EMAIL", customer.contact)
            said = Message.objects.create(
                conversation=conversation,
                author=Message.Author.SYSTEM,
                masked=words.say("contact.left", conversation.locale, email=placeholder),
                source="system",
            )
            transaction.on_commit(lambda: events.message_posted(conversation.id, said.uuid))
    except contact.BadAddress:
        raise Rejected("bad_address") from None


def _check_still_there(customer: Customer, conversation: Conversation) -> None:
    """Raise Rejected where the conversation is theirs no more, or they were erased since they came."""
    now = _lock(customer)
    theirs = Conversation.objects.filter(id=conversation.id, customer=customer, closed_at=None)
    open_still = theirs.select_for_update(no_key=True).first()
    if open_still is None or [one.erased_at for one in now] != [customer.erased_at]:
        raise Rejected("closed")


def close(conversation_id: UUID) -> None:
    """End a conversation; what the bot was about to say is not said."""
    closed = Conversation.objects.filter(id=conversation_id, closed_at=None).update(closed_at=timezone.now())
    if closed:
        reply.fence(conversation_id, "stopped")
        events.closed(conversation_id)


def messages(conversation_id: UUID, before: UUID | None = None) -> tuple[list[Message], bool]:
    """A page of messages, oldest first, and whether older ones exist. `before` is a message's uuid."""
    rows = Message.objects.filter(conversation=conversation_id).order_by("-id")
    rows = rows.select_related("agent", "turn")
    if before:
        anchor = Message.objects.filter(conversation=conversation_id, uuid=before).values_list(
            "id", flat=True
        )
        if not anchor:
            raise Unknown
        rows = rows.filter(id__lt=anchor[0])
    page = list(rows[: PAGE + 1])
    return page[:PAGE][::-1], len(page) > PAGE


def turn_under_way(conversation_id: UUID) -> Turn | None:
    """The running turn, else the queued one."""
    rows = Turn.objects.filter(conversation=conversation_id).exclude(state=Turn.State.DONE)
    return rows.order_by("-state").first()


def model_was_away(conversation_id: UUID) -> bool:
    """Whether the newest reply had to do without the model because it could not be asked."""
    ended = Turn.objects.filter(conversation=conversation_id, state=Turn.State.DONE).order_by("-finished_at")
    return ended.values_list("reason", flat=True).first() == "model_down"
