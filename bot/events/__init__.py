"""What browsers are told, and the only senders.

Events hold placeholders, never private values: the customer's socket restores them, the desk shows them as
they are. A turn's events are numbered and kept for replay; the others are published and, when missed, found
again in the next `ready`. Every frame is a closed type of `frames`.
"""

import threading
import time
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from bot.events import again
from bot.events.again import Shown, told_again
from bot.events.bodies import message_body, stored_final
from bot.events.frames import (
    Accepted,
    Adopted,
    AllowanceBody,
    AllowanceChanged,
    ApprovalAsked,
    ApprovalBody,
    ApprovalOutcome,
    ApprovalState,
    CardShown,
    Closed,
    ClosedByOther,
    ConversationBody,
    CustomerBody,
    Delta,
    ErrorFrame,
    Final,
    Handler,
    HandoverReason,
    History,
    LimitBody,
    MessageBody,
    MessageFrame,
    MessagePosted,
    Mode,
    ModeName,
    Ok,
    Outcome,
    Pong,
    Rated,
    Ready,
    RejectedFrame,
    Reset,
    Scrubbed,
    SiteBody,
    Source,
    Status,
    TurnBody,
    TurnEvent,
    Working,
)
from bot.models import group_of
from bot.outbox import Channel, outbox

__all__ = [
    "DESK",
    "Accepted",
    "Adopted",
    "AllowanceBody",
    "AllowanceChanged",
    "ApprovalAsked",
    "ApprovalBody",
    "ApprovalOutcome",
    "ApprovalState",
    "CardShown",
    "Closed",
    "ClosedByOther",
    "ConversationBody",
    "CustomerBody",
    "Delta",
    "ErrorFrame",
    "Final",
    "Handler",
    "HandoverReason",
    "History",
    "LimitBody",
    "MessageBody",
    "MessageFrame",
    "MessagePosted",
    "Mode",
    "ModeName",
    "Ok",
    "Outcome",
    "Pong",
    "Rated",
    "Ready",
    "RejectedFrame",
    "Reset",
    "Scrubbed",
    "Shown",
    "SiteBody",
    "Source",
    "Status",
    "TurnBody",
    "TurnEvent",
    "TurnLog",
    "Working",
    "adopted",
    "allowance_changed",
    "approval_state",
    "closed",
    "desk_changed",
    "group_of",
    "message_body",
    "message_posted",
    "rated",
    "scrubbed",
    "status",
    "stored_final",
    "told_again",
]

DESK = "desk"

log = structlog.get_logger(__name__)


class TurnLog:
    """The numbered events of one attempt at a turn. Nothing here waits for the network."""

    def __init__(self, turn: UUID, attempt: int, conversation: UUID) -> None:
        self.turn = turn
        self.attempt = attempt
        reset = Reset(turn=turn, attempt=attempt).json_text()
        self._channel = Channel(str(turn), attempt, group_of(conversation), self._delta, reset)
        # When the customer was last told anything, by time.monotonic().
        self.said_at = time.monotonic()

    @property
    def fenced(self) -> bool:
        """Whether a newer attempt, a stop or a person has been seen to hold the turn."""
        return self._channel.fenced.is_set()

    @property
    def fenced_event(self) -> threading.Event:
        """Set as soon as that is known: whoever waits for something else can wait for this, too."""
        return self._channel.fenced

    def working(self, label: str) -> None:
        self._send(Working(turn=self.turn, attempt=self.attempt, label=label))

    def text(self, text: str) -> None:
        if text:
            # Half a surrogate pair fails here, in its turn, and not in the thread that writes for all.
            text.encode()
            self.said_at = time.monotonic()
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
            Final(turn=self.turn, attempt=self.attempt, message=message, state=state, allowance=allowance),
            text=message.text or "",
        )

    def take_over_shown(self) -> Shown | None:
        """Shut out earlier attempts; what the customer has been shown, None when Redis does not know it."""
        try:
            kept = outbox().take_over(self._channel)
        except RedisError as error:
            log.warning("nobody knows what was shown", turn=str(self.turn), error=type(error).__name__)
            return None
        return again.shown(kept)

    def _delta(self, text: str) -> str:
        return Delta(turn=self.turn, attempt=self.attempt, text=text).json_text()

    def _send(self, event: TurnEvent, text: str = "") -> None:
        self.said_at = time.monotonic()
        outbox().event(self._channel, event.type, event.json_text(), text)


def message_posted(conversation: UUID, message: UUID, origin: str = "") -> None:
    _publish(conversation, MessagePosted(id=message, origin=origin))
    desk_changed(conversation)


def scrubbed(conversation: UUID, message: UUID, *, reworded: bool = False) -> None:
    _publish(conversation, Scrubbed(id=message, reworded=reworded))
    desk_changed(conversation)


def status(conversation: UUID, handler: Handler, agent: str | None = None) -> None:
    _publish(conversation, Status(handler=handler, agent=agent))
    desk_changed(conversation)


def approval_state(conversation: UUID, call: UUID, state: ApprovalOutcome) -> None:
    _publish(conversation, ApprovalState(call=call, state=state))


def rated(conversation: UUID, message: UUID) -> None:
    _publish(conversation, Rated(id=message))


def adopted(conversation: UUID, customer: UUID) -> None:
    _publish(conversation, Adopted(customer=customer))
    desk_changed(conversation)


def allowance_changed(conversation: UUID) -> None:
    _publish(conversation, AllowanceChanged())


def closed(conversation: UUID) -> None:
    _publish(conversation, ClosedByOther())
    desk_changed(conversation)


def desk_changed(conversation: UUID) -> None:
    """Tell every desk that a line of its list may have changed."""
    outbox().publish(DESK, {"type": "desk_changed", "conversation": str(conversation)})


def _publish(conversation: UUID, event: Closed) -> None:
    outbox().publish(group_of(conversation), event.as_dict())
