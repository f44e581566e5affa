"""What the bot refuses or gives up on.

BotError
├── Rejected     a customer's message or wish is refused; says why in their language
├── Unknown      no such thing here, or not theirs: both answer alike
├── Fenced       a newer attempt, a stop or a person took the turn over
└── GaveUp       a turn's own ceiling was reached: rounds, tool calls, same call, prompt tokens, tokens, cost
"""

import traceback
from datetime import datetime

from bot import words


class BotError(Exception):
    """The root of everything the bot refuses or gives up on."""


class Rejected(BotError):
    """Refused at the door; `code` is invalid, too_long, rate_limited, closed or bad_address."""

    def __init__(self, code: str, *, retry_at: datetime | None = None, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.retry_at = retry_at
        self.facts = facts

    def text(self, locale: str) -> str:
        return words.say(f"rejected.{self.code}", locale, **self.facts)


class Unknown(BotError):
    """Unknown and foreign ids answer alike."""


class Fenced(BotError):
    """Somebody else holds the turn now: say nothing more, settle what was used."""


class GaveUp(BotError):
    """A ceiling of the turn was reached; `reason` names it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def place(error: BaseException) -> str:
    """Where it was raised: what it says may hold somebody's private values, and stays out of the logs."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
