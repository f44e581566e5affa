"""A claimed turn and all that its steps need to know."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from accounts import limits
from accounts.limits import Binding
from bot import events
from bot.errors import Fenced
from bot.keeping import Kept
from bot.llm.counting import Tally
from bot.models import Conversation, ToolCall, Turn
from bot.privacy import veil
from bot.privacy.veil import Veil
from bot.tools.runner import Bench, Shown

if TYPE_CHECKING:
    from bot.steps.calls import Calls


@dataclass
class Work:
    turn: Turn
    attempt: int
    kept: Kept
    # What the customer said since the last reply, masked.
    question: str = ""
    # When the customer was first shown text of a model.
    first_text_at: datetime | None = None
    approved: list[ToolCall] = field(default_factory=list)
    shown: Shown = field(default_factory=Shown)
    # Counts the tokens of what is asked.
    tally: Tally = field(default_factory=Tally)
    # The upstream calls made so far.
    calls: "Calls | None" = None

    @property
    def log(self) -> events.TurnLog:
        return self.kept.log

    @property
    def conversation(self) -> Conversation:
        return self.turn.conversation

    @cached_property
    def veil(self) -> Veil:
        """Opens the conversation's data key."""
        return veil.of(self.conversation)

    @property
    def locale(self) -> str:
        return self.conversation.locale

    @cached_property
    def binding(self) -> Binding:
        """What limits the customer, read once: each hold asks for the amounts in force by itself."""
        return limits.binding(self.conversation.customer)

    @property
    def seconds_left(self) -> float:
        return self.kept.ends_at - time.monotonic()

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
            binding=self.binding,
            model_class=self.calls.choice.model_class if self.calls else "",
            model=self.calls.model if self.calls else "",
        )
