"""One private value, or one message as it was said: to an agent with the right, for a reason that is kept."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.fernet import Fernet
from django.db import transaction

from accounts import audit
from accounts.models import AuditEntry, User
from bot.errors import BotError, Unknown
from bot.models import Conversation, Message, VaultEntry
from bot.privacy.placeholders import PLACEHOLDER
from bot.privacy.restore import restore
from bot.privacy.sealing import Sealer
from bot.privacy.vault import Vault

LEAST_REASON, MOST_REASON = 5, 200
SHOWN = 20


class NotAllowed(BotError):
    """This agent has not been given the right to reveal."""


class NoReason(BotError):
    """Somebody who asks later should be able to understand why."""


@dataclass(frozen=True)
class Revealed:
    """Who saw what, and why; `kind` and `number` name a value, both are empty for a whole message."""

    at: datetime
    name: str
    kind: str
    number: str
    reason: str


def allowed(agent: User) -> bool:
    """Admins may, and agents who were given the right."""
    return agent.may_reveal or agent.role == User.Role.ADMIN


def value(agent: User, conversation_id: UUID, placeholder: str, reason: str) -> str:
    """What a placeholder stands for. Raises NotAllowed, NoReason, or Unknown for what the vault has not."""
    why = _why(agent, reason)
    written = PLACEHOLDER.fullmatch(placeholder)
    with transaction.atomic():
        conversation = _remembered(conversation_id)
        entry = written and conversation.vault.filter(kind=written[1], number=int(written[2])).first()
        if not isinstance(entry, VaultEntry):
            raise Unknown("no such placeholder")
        text = Sealer(conversation.data_key).unseal(entry.sealed)
        audit.record(agent, "reveal_value", _subject(conversation_id), reason=why, placeholder=f"{entry}")
    return text


def message(agent: User, conversation_id: UUID, uuid: UUID, reason: str) -> str:
    """A message as it was said or, of the bot, as its customer reads it. Raises as `value` does."""
    why = _why(agent, reason)
    with transaction.atomic():
        conversation = _remembered(conversation_id)
        one = conversation.messages.filter(uuid=uuid).first()
        if one is None:
            raise Unknown("no such message")
        text = _as_said(conversation, one)
        audit.record(agent, "reveal_message", _subject(conversation_id), reason=why, message=uuid)
    return text


def history(agent: User, conversation_id: UUID) -> list[Revealed]:
    """The newest reveals in a conversation, for those who may reveal themselves."""
    if not allowed(agent):
        raise NotAllowed("no right to reveal")
    entries = AuditEntry.objects.filter(
        subject=_subject(conversation_id), action__in=["reveal_value", "reveal_message"]
    )
    return [_revealed(entry) for entry in entries.order_by("-number")[:SHOWN]]


def _why(agent: User, reason: str) -> str:
    if not allowed(agent):
        raise NotAllowed("no right to reveal")
    why = " ".join(reason.split())
    if not LEAST_REASON <= len(why) <= MOST_REASON:
        raise NoReason("a reason has 5 to 200 characters")
    return why


def _remembered(conversation_id: UUID) -> Conversation:
    conversation = Conversation.objects.filter(id=conversation_id, forgotten_at=None).first()
    if conversation is None:
        raise Unknown("no such conversation")
    return conversation


def _as_said(conversation: Conversation, one: Message) -> str:
    if one.sealed:
        return Fernet(conversation.data_key).decrypt(bytes(one.sealed)).decode()
    values = Vault(conversation.id, conversation.data_key).values()
    return restore(one.masked or "", values, conversation.locale)


def _subject(conversation_id: UUID) -> str:
    return f"conversation:{conversation_id}"


def _revealed(entry: AuditEntry) -> Revealed:
    written = PLACEHOLDER.fullmatch(entry.detail.get("placeholder", ""))
    kind, number = (written[1], written[2]) if written else ("", "")
    return Revealed(entry.at, entry.actor_name, kind, number, audit.reason(entry))
