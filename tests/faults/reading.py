"""What a tab has said, and what it shows of each turn: the next event after the last, and no other."""

import time
from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]


@dataclass
class Said:
    """A message of the customer, from the moment it was typed."""

    id: str
    text: str
    at: float
    accepted: list[Frame] = field(default_factory=list)
    rejected: list[Frame] = field(default_factory=list)


@dataclass
class Turn:
    """What a tab shows of one turn."""

    id: str
    last: int = 0
    text: str = ""
    attempts: set[int] = field(default_factory=set)
    resets: int = 0
    finals: list[Frame] = field(default_factory=list)
    # The reply, where it was found in a `ready` and not told by a `final`.
    found: str | None = None
    ended_at: float | None = None
    asked_at: float = 0
    resumed: bool = False
    early: dict[int, Frame] = field(default_factory=dict)

    @property
    def reply(self) -> str | None:
        return self.finals[0]["message"]["text"] if self.finals else self.found

    def find(self, text: str) -> None:
        """The reply stands among the messages: it has ended while nobody listened."""
        self.found, self.ended_at = text, time.time()

    def take(self, event: Frame) -> bool:
        """Show an event, and what it makes room for; True when something before it is missing."""
        if self.finals or event["seq"] <= self.last:
            if self.finals and event["type"] == "final":
                # Told again: the same, or something else.
                self.finals.append(event)
            return False
        if event["type"] != "reset" and event["seq"] > self.last + 1:
            self.early[event["seq"]] = event
            return True
        self._show(event)
        while not self.finals and (early := self.early.pop(self.last + 1, None)):
            self._show(early)
        self.early = {seq: early for seq, early in self.early.items() if seq > self.last}
        return False

    def _show(self, event: Frame) -> None:
        self.last = event["seq"]
        self.attempts.add(event["attempt"])
        match event["type"]:
            case "delta":
                self.text += event["text"]
            case "reset":
                self.text = ""
                self.resets += 1
            case "final":
                self.finals.append(event)
                self.ended_at = self.ended_at or time.time()
