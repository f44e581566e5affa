"""A conversation as its customer knows it: what was said in their own words, and what was done for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from accounts.sealing import CannotUnseal, Stored
from bot.models import Conversation, Message, ToolCall
from bot.privacy.restore import restore, restore_json
from bot.privacy.vault import Vault

JSON = dict[str, Any]
ROWS = 500


@dataclass(frozen=True)
class _Reader:
    """Opens what is sealed in one conversation; without its key only what is masked can be told."""

    key: Fernet | None
    values: dict[str, str]
    locale: str

    @classmethod
    def of(cls, conversation: Conversation) -> "_Reader":
        try:
            key = conversation.data_key
        except CannotUnseal:
            return cls(None, {}, conversation.locale)
        return cls(Fernet(key), Vault(conversation.id, key).values(), conversation.locale)

    def opened(self, sealed: Stored) -> str | None:
        if not sealed or self.key is None:
            return None
        try:
            return self.key.decrypt(bytes(sealed)).decode()
        except InvalidToken:
            return None

    def text(self, message: Message) -> str | None:
        """As it was said or, of the bot, as the customer was shown it."""
        said = self.opened(message.sealed)
        if said is None and message.masked is not None:
            return restore(message.masked, self.values, self.locale)
        return said

    def restored(self, value: Any) -> Any:
        return restore_json(value, self.values, self.locale)


def retold(conversation: Conversation) -> JSON:
    """Plain JSON values; nothing but when it was, where what was said has been deleted."""
    told: JSON = {
        "id": str(conversation.id),
        "opened_at": _at(conversation.opened_at),
        "active_at": _at(conversation.active_at),
        "closed_at": _at(conversation.closed_at),
        "deleted_at": _at(conversation.forgotten_at),
        "language": conversation.locale,
        "handed_over_for": conversation.handover_reason or None,
    }
    if conversation.forgotten_at:
        return told | {"messages": [], "tool_calls": [], "hidden": []}
    reader = _Reader.of(conversation)
    return told | {
        "messages": [*_messages(conversation, reader)],
        "tool_calls": [*_calls(conversation, reader)],
        # What models and staff have not seen of it, but as a placeholder.
        "hidden": [{"as": name, "value": value} for name, value in sorted(reader.values.items())],
    }


def _messages(conversation: Conversation, reader: _Reader) -> Iterator[JSON]:
    for one in _said(conversation):
        yield {
            "id": str(one.uuid),
            "at": _at(one.created_at),
            "author": one.author,
            "name": (one.agent.name or None) if one.agent else None,
            "text": reader.text(one),
            "source": one.source or None,
            "cards": reader.restored(one.cards),
            "sources": one.sources,
            "rating": one.rating,
            "comment": reader.opened(one.sealed_comment),
        }


def _said(conversation: Conversation) -> Iterator[Message]:
    """Page by page: most conversations are one, and a cursor would cost them three statements."""
    rows = Message.objects.filter(conversation=conversation).select_related("agent").order_by("id")
    page = list(rows[:ROWS])
    while page:
        yield from page
        page = list(rows.filter(id__gt=page[-1].pk)[:ROWS]) if len(page) == ROWS else []


def _calls(conversation: Conversation, reader: _Reader) -> Iterator[JSON]:
    rows = ToolCall.objects.filter(turn__conversation=conversation).order_by("created_at", "id")
    for one in rows:
        yield {
            "at": _at(one.created_at),
            "finished_at": _at(one.finished_at),
            "tool": one.name,
            "state": one.state,
            "title": reader.restored(one.title) or None,
            "lines": reader.restored(one.lines),
            "arguments": reader.restored(one.arguments),
            "result": reader.restored(one.result),
        }


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
