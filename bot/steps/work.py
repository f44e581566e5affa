"""A claimed turn and all that its steps need to know."""

import time
from dataclasses import dataclass, field
from datetime import datetime

from bot import events
from bot.errors import Fenced
from bot.models import Conversation, ToolCall, Turn
from bot.privacy.veil import Veil
from bot.tools.runner import Bench, Shown


@dataclass
class Work:
    turn: Turn
    attempt: int
    log: events.TurnLog
    veil: Veil
    ends_at: float
    # What the customer said since the last reply, masked.
    question: str = ""
    # When the customer was first shown text of a model.
    first_text_at: datetime | None = None
    approved: list[ToolCall] = field(default_factory=list)
    shown: Shown = field(default_factory=Shown)

    @property
    def conversation(self) -> Conversation:
        return self.turn.conversation

    @property
    def locale(self) -> str:
        return self.conversation.locale

    @property
    def seconds_left(self) -> float:
        return self.ends_at - time.monotonic()

    def check_fence(self) -> None:
        if self.log.fenced:
            raise Fenced

    @property
    def bench(self) -> Bench:
        """What a tool call of this turn works with."""
        return Bench(
            turn=self.turn,
            veil=self.veil,
            events=self.log,
            shown=self.shown,
            customer=self.conversation.customer.external_id or None,
            site=self.conversation.site.key,
            locale=self.locale,
        )
