"""Every message a browser can receive, with closed types, and the only senders.

Events hold placeholders, never private values: the customer's socket restores them, the desk shows them as
they are. A turn's events are numbered and kept for replay; the others are published and, when missed, found
again in the next `ready`.
"""

import json
from datetime import datetime
from typing import Any, Literal, TypedDict
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from bot.models import Message, group_of
from bot.outbox import Channel, outbox

DESK = "desk"

Handler = Literal["bot", "queue", "person"]
Outcome = Literal["answered", "degraded", "awaiting_approval", "stopped", "handed_over", "failed"]
HandoverReason = Literal[
    "customer_request",
    "missing_knowledge",
    "unsupported_request",
    "policy",
    "tool_failure",
    "usage_limit",
    "model_down",
]
ApprovalOutcome = Literal["done", "declined", "expired", "failed"]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def json_text(self) -> str:
        return self.model_dump_json(exclude_none=True)

    def as_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


class Source(TypedDict):
    title: str
    url: str


class MessageBody(Closed):
    id: UUID
    author: Literal["customer", "bot", "agent", "system"]
    name: str | None = None
    text: str | None
    source: str | None = None
    turn: UUID | None = None
    cards: list[dict[str, Any]] | None = None
    sources: list[Source] | None = None
    rating: int | None = None
    answers: UUID | None = None
    created_at: datetime


class LimitBody(Closed):
    label: str
    used: int
    amount: int
    resets_at: datetime


class AllowanceBody(Closed):
    limits: list[LimitBody]
    exhausted: bool


class TurnBody(Closed):
    id: UUID
    state: Literal["queued", "running"]


class ApprovalBody(Closed):
    call: UUID
    title: str
    lines: list[str]
    expires_at: datetime
    state: Literal["proposed"] = "proposed"


class ConversationBody(Closed):
    id: UUID
    handler: Handler
    agent: str | None = None


class CustomerBody(Closed):
    verified: bool
    name: str | None = None


class SiteBody(Closed):
    key: str
    name: str
    assistant: str
    colour: str
    greeting: str
    suggestions: list[str]
    privacy_url: str
    max_chars: int


# Frames that answer one socket.


class Ready(Closed):
    type: Literal["ready"] = "ready"
    version: Literal[1] = 1
    token: str
    customer: CustomerBody
    conversation: ConversationBody
    messages: list[MessageBody]
    more: bool
    turn: TurnBody | None
    approvals: list[ApprovalBody]
    allowance: AllowanceBody
    mode: Literal["normal", "degraded"]
    site: SiteBody

    def as_dict(self) -> dict[str, Any]:
        return {"turn": None, **super().as_dict()}


class Accepted(Closed):
    type: Literal["accepted"] = "accepted"
    id: UUID
    turn: UUID | None

    def as_dict(self) -> dict[str, Any]:
        return {"turn": None, **super().as_dict()}


class RejectedFrame(Closed):
    type: Literal["rejected"] = "rejected"
    id: str
    code: Literal["invalid", "too_long", "rate_limited", "closed"]
    text: str
    retry_at: datetime | None = None


class History(Closed):
    type: Literal["history"] = "history"
    messages: list[MessageBody]
    more: bool


class Ok(Closed):
    type: Literal["ok"] = "ok"
    ref: str


class ErrorFrame(Closed):
    type: Literal["error"] = "error"
    ref: str | None = None
    code: str
    text: str


class Pong(Closed):
    type: Literal["pong"] = "pong"


class MessageFrame(Closed):
    type: Literal["message"] = "message"
    message: MessageBody


# Turn events: numbered, replayed, without the number until they are written.


class TurnEvent(Closed):
    turn: UUID
    attempt: int


class Working(TurnEvent):
    type: Literal["working"] = "working"
    label: str


class Delta(TurnEvent):
    type: Literal["delta"] = "delta"
    text: str


class Reset(TurnEvent):
    type: Literal["reset"] = "reset"


class CardShown(TurnEvent):
    type: Literal["card"] = "card"
    kind: str
    data: dict[str, Any]


class ApprovalAsked(TurnEvent):
    type: Literal["approval"] = "approval"
    call: UUID
    title: str
    lines: list[str]
    expires_at: datetime


class Final(TurnEvent):
    type: Literal["final"] = "final"
    message: MessageBody
    state: Outcome
    allowance: AllowanceBody


# Conversation events: published to everybody who watches, found again in `ready`.


class MessagePosted(Closed):
    """Something was said: every watcher reads it from the database with the eyes it is entitled to."""

    type: Literal["message"] = "message"
    id: UUID
    origin: str = Field(default="", description="The socket that sent it and has shown it already.")


class Scrubbed(Closed):
    """A message that the desk could not read yet now has its masked text."""

    type: Literal["scrubbed"] = "scrubbed"
    id: UUID


class Status(Closed):
    type: Literal["status"] = "status"
    handler: Handler
    agent: str | None = None


class ApprovalState(Closed):
    type: Literal["approval_state"] = "approval_state"
    call: UUID
    state: ApprovalOutcome


class Rated(Closed):
    """For the desk: a customer judged a reply."""

    type: Literal["rated"] = "rated"
    id: UUID


class ClosedByOther(Closed):
    """The conversation was closed; the customer's tabs start over with a fresh `ready`."""

    type: Literal["closed"] = "closed"


def message_body(message: Message, text: str | None) -> MessageBody:
    """`message` as a browser sees it; `text` is the face its reader is entitled to."""
    return MessageBody(
        id=message.uuid,
        author=message.author,  # type: ignore[arg-type]
        name=message.agent.name if message.agent else None,
        text=text,
        source=message.source or None,
        turn=message.turn_id if message.author == Message.Author.BOT else None,
        cards=message.cards or None,
        sources=message.sources or None,
        rating=message.rating,
        created_at=message.created_at,
    )


class TurnLog:
    """The numbered events of one attempt at a turn. Nothing here waits for the network."""

    def __init__(self, turn: UUID, attempt: int, conversation: UUID) -> None:
        self.turn = turn
        self.attempt = attempt
        self._channel = Channel(str(turn), attempt, group_of(conversation), self._delta)

    @property
    def fenced(self) -> bool:
        """Whether a newer attempt, a stop or a person has been seen to hold the turn."""
        return self._channel.fenced.is_set()

    def working(self, label: str) -> None:
        self._send(Working(turn=self.turn, attempt=self.attempt, label=label))

    def text(self, text: str) -> None:
        if text:
            outbox().text(self._channel, text)

    def reset(self) -> None:
        self._send(Reset(turn=self.turn, attempt=self.attempt))

    def card(self, kind: str, data: dict[str, Any]) -> None:
        self._send(CardShown(turn=self.turn, attempt=self.attempt, kind=kind, data=data))

    def approval(self, call: UUID, title: str, lines: list[str], expires_at: datetime) -> None:
        self._send(
            ApprovalAsked(
                turn=self.turn,
                attempt=self.attempt,
                call=call,
                title=title,
                lines=lines,
                expires_at=expires_at,
            )
        )

    def final(self, message: MessageBody, state: Outcome, allowance: AllowanceBody) -> None:
        self._send(
            Final(turn=self.turn, attempt=self.attempt, message=message, state=state, allowance=allowance)
        )

    def take_over(self) -> str:
        """Shut out earlier attempts; the text that the customer has been shown. Waits for Redis."""
        shown = ""
        for body in outbox().take_over(self._channel):
            event = json.loads(body)
            if event["type"] == "delta":
                shown += event["text"]
            elif event["type"] == "reset":
                shown = ""
        return shown

    def _delta(self, text: str) -> str:
        return Delta(turn=self.turn, attempt=self.attempt, text=text).json_text()

    def _send(self, event: TurnEvent) -> None:
        outbox().event(self._channel, event.json_text())


def replay(turn: UUID, after: int) -> list[str]:
    """The kept events of a turn with a number above `after`, as JSON. Waits for Redis."""
    return outbox().replay(str(turn), after)


def message_posted(conversation: UUID, message: UUID, origin: str = "") -> None:
    _publish(conversation, MessagePosted(id=message, origin=origin))
    desk_changed(conversation)


def scrubbed(conversation: UUID, message: UUID) -> None:
    _publish(conversation, Scrubbed(id=message))
    desk_changed(conversation)


def status(conversation: UUID, handler: Handler, agent: str | None = None) -> None:
    _publish(conversation, Status(handler=handler, agent=agent))
    desk_changed(conversation)


def approval_state(conversation: UUID, call: UUID, state: ApprovalOutcome) -> None:
    _publish(conversation, ApprovalState(call=call, state=state))


def rated(conversation: UUID, message: UUID) -> None:
    _publish(conversation, Rated(id=message))


def closed(conversation: UUID) -> None:
    _publish(conversation, ClosedByOther())
    desk_changed(conversation)


def desk_changed(conversation: UUID) -> None:
    """Tell every desk that a line of its list may have changed."""
    outbox().publish(DESK, {"type": "desk_changed", "conversation": str(conversation)})


def _publish(conversation: UUID, event: Closed) -> None:
    outbox().publish(group_of(conversation), {"type": "conversation_event", "body": event.json_text()})
