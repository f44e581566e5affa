"""Every frame a browser can receive, with closed types."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

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
ModeName = Literal["normal", "degraded"]
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
    # A short answer to begin with: the real one follows, and names the turn it answers.
    deferred: bool | None = None
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
    turn: UUID
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
    # An e-mail address is known; the widget need not ask for one.
    reachable: bool | None = None


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
    mode: ModeName
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


class Mode(Closed):
    """Whether the model answers at present, as far as this conversation can tell."""

    type: Literal["mode"] = "mode"
    mode: ModeName


class Pong(Closed):
    type: Literal["pong"] = "pong"


class MessageFrame(Closed):
    type: Literal["message"] = "message"
    message: MessageBody


# Turn events: numbered, replayed, without the number until they are written.


class TurnEvent(Closed):
    turn: UUID
    attempt: int
    type: str


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

    @property
    def text(self) -> str:
        return self.message.text or ""


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
    reworded: bool = Field(default=False, description="Its customer reads it anew: a value was dropped.")


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


class Adopted(Closed):
    """The conversation is a verified customer's now; whoever watches it as somebody else leaves."""

    type: Literal["adopted"] = "adopted"
    customer: UUID


class AllowanceChanged(Closed):
    """The customer was given something; their tabs get a fresh `ready`, which tells what they may use."""

    type: Literal["allowance"] = "allowance"


class ClosedByOther(Closed):
    """The conversation was closed; the customer's tabs start over with a fresh `ready`."""

    type: Literal["closed"] = "closed"
