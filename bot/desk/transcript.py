"""One conversation as the desk shows it: what was said, and how each reply came about."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, QuerySet, Sum

from accounts.models import User
from bot.desk.summary import Summary, summarise, with_names
from bot.errors import Unknown
from bot.models import Conversation, Message, ToolCall, Turn

PAGE = 100


@dataclass(frozen=True)
class Tool:
    """One use of a tool; arguments hold placeholders."""

    id: UUID
    name: str
    state: str
    title: str
    lines: list[str]
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """How a reply of the bot came about; `seconds` count from the moment its turn was queued."""

    source: str
    outcome: str
    reason: str
    model: str
    input_tokens: int
    output_tokens: int
    cost: Decimal | None
    first_text_seconds: float | None
    seconds: float | None
    tools: list[Tool]


@dataclass(frozen=True)
class Entry:
    """One message; `text` is masked, None while it is not yet scrubbed."""

    pk: int
    uuid: UUID
    author: str
    name: str
    text: str | None
    at: datetime
    cards: list[dict[str, Any]]
    sources: list[dict[str, str]]
    rating: int | None
    facts: Facts | None


@dataclass(frozen=True)
class Totals:
    turns: int
    tokens: int
    cost: Decimal | None


@dataclass(frozen=True)
class Transcript:
    about: Summary
    running: UUID | None
    totals: Totals
    entries: list[Entry] = field(default_factory=list)
    more: bool = False

    @property
    def mark(self) -> str:
        """Changes whenever a page that shows this transcript is out of date."""
        newest = self.entries[-1].pk if self.entries else 0
        unread = sum(entry.text is None for entry in self.entries)
        return f"{newest}.{unread}.{self.about.state}.{self.running.hex if self.running else '-'}"


def read(agent: User, conversation_id: UUID, before: int | None = None) -> Transcript:
    """The newest page of a conversation, or the one before message `before`."""
    one = with_names(Conversation.objects.filter(id=conversation_id)).first()
    if one is None:
        raise Unknown("no such conversation")
    messages = _messages(conversation_id)
    if before is not None:
        messages = messages.filter(pk__lt=before)
    newest = list(messages.order_by("-pk")[: PAGE + 1])
    return Transcript(
        about=summarise(agent, one),
        running=running_turn(conversation_id),
        totals=_totals(conversation_id),
        entries=[_entry(message) for message in reversed(newest[:PAGE])],
        more=len(newest) > PAGE,
    )


def entry(conversation_id: UUID, uuid: UUID) -> Entry:
    """One message of a conversation."""
    message = _messages(conversation_id).filter(uuid=uuid).first()
    if message is None:
        raise Unknown("no such message")
    return _entry(message)


def running_turn(conversation_id: UUID) -> UUID | None:
    """The turn the bot is working on."""
    return (
        Turn.objects.filter(conversation=conversation_id, state=Turn.State.RUNNING)
        .values_list("id", flat=True)
        .first()
    )


def has_turn(conversation_id: UUID, turn: UUID) -> bool:
    return Turn.objects.filter(conversation=conversation_id, id=turn).exists()


def _messages(conversation_id: UUID) -> QuerySet[Message]:
    calls = Prefetch("turn__tool_calls", ToolCall.objects.order_by("created_at", "call"))
    return (
        Message.objects.filter(conversation=conversation_id)
        .select_related("agent", "turn")
        .prefetch_related(calls)
        .defer("sealed", "sealed_comment")
    )


def _totals(conversation_id: UUID) -> Totals:
    sums = Turn.objects.filter(conversation=conversation_id).aggregate(
        turns=Count("id"), input=Sum("input_tokens"), output=Sum("output_tokens"), cost=Sum("cost")
    )
    return Totals(sums["turns"], (sums["input"] or 0) + (sums["output"] or 0), sums["cost"])


def _entry(message: Message) -> Entry:
    by_bot = message.author == Message.Author.BOT
    return Entry(
        pk=message.pk,
        uuid=message.uuid,
        author=message.author,
        name=str(message.agent) if message.agent else "",
        text=message.masked,
        at=message.created_at,
        cards=message.cards,
        sources=message.sources,
        rating=message.rating,
        facts=_facts(message, message.turn) if by_bot and message.turn else None,
    )


def _facts(message: Message, turn: Turn) -> Facts:
    return Facts(
        source=message.source or turn.source,
        outcome=turn.outcome,
        reason=turn.reason,
        model=turn.model,
        input_tokens=turn.input_tokens,
        output_tokens=turn.output_tokens,
        cost=turn.cost,
        first_text_seconds=_seconds(turn.queued_at, turn.first_text_at),
        seconds=_seconds(turn.queued_at, turn.finished_at),
        tools=[_tool(call) for call in turn.tool_calls.all()],
    )


def _tool(call: ToolCall) -> Tool:
    return Tool(call.id, call.name, call.state, call.title, list(call.lines), call.arguments)


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else max(0.0, (end - start).total_seconds())
