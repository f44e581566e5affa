"""Where one attempt at a turn writes, and what it has said so far."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

# An attempt that Redis knows nothing of goes on above whatever earlier ones may have been numbered.
ATTEMPT_NUMBERS = 10_000
# More events than can be on their way at once: their numbers are unknown when Redis lost its data then.
UNKNOWN_NUMBERS = 1_000

JOIN_SECONDS = 0.04
JOIN_CHARACTERS = 64
# After so many deltas the next ones wait twice as long, so that a log of 2,000 events is never cut.
SLOWER_AFTER = 500


@dataclass(eq=False)
class Channel:
    """`fenced` is set once a newer attempt has been seen; what follows it is only for the outbox's thread."""

    turn: str
    attempt: int
    group: str
    # The event for a text, and the one that takes back everything said.
    encode_text: Callable[[str], str]
    reset: str
    fenced: threading.Event = field(default_factory=threading.Event)

    # Redis has refused it: nothing it says is heard any more.
    shut: bool = False
    seq: int = 0
    begun: bool = False
    over: bool = False
    # Redis may lack some of what was said: all of it is told again.
    torn: bool = False
    # Since the last reset: (kind, JSON), a delta with its bare text.
    said: list[tuple[str, str]] = field(default_factory=list)
    pending: str = ""
    due: float = 0.0
    released_at: float = 0.0
    deltas: int = 0

    @property
    def floor(self) -> int:
        """What Redis has forgotten of this turn was numbered up to here, or lower."""
        return self.attempt * ATTEMPT_NUMBERS if self.attempt > 1 else 0

    def say(self, kind: str, what: str) -> None:
        """Note what is said, as far as it matters to somebody who has seen nothing yet."""
        if kind == "reset":
            self.said.clear()
        elif kind == "delta" and self.said and self.said[-1][0] == "delta":
            self.said[-1] = ("delta", self.said[-1][1] + what)
        else:
            if kind == "working":
                self.said = [one for one in self.said if one[0] != "working"]
            self.said.append((kind, what))

    def end(self, body: str, text: str) -> None:
        """Note the final; whoever is told again gets the reply whole before it."""
        asked = [one for one in self.said if one[0] == "approval"]
        self.said = [*([("delta", text)] if text else []), *asked, ("final", body)]
        self.over = True

    def wait_for_more(self, text: str) -> None:
        if not self.pending:
            self.due = self.released_at + JOIN_SECONDS * self._pace
        self.pending += text

    def is_due(self, now: float) -> bool:
        return self.due <= now or len(self.pending) >= JOIN_CHARACTERS * self._pace

    def release(self, now: float) -> str:
        text, self.pending, self.released_at = self.pending, "", now
        self.deltas += 1
        return text

    @property
    def _pace(self) -> int:
        return int(1 << (self.deltas // SLOWER_AFTER))
