"""Why no model answers, or none goes on: what the turn keeps of it, and which words the customer gets."""

from dataclasses import dataclass

from accounts.quota import Exhausted, SpendingStopped, Standing
from bot import limit_told
from bot.errors import GaveUp
from bot.steps.choice import Unpriced

# What limits and ceilings raise.
REFUSED = (Exhausted, SpendingStopped, Unpriced)


@dataclass(frozen=True)
class Refusal:
    """`about` names the words for it: usage_limit where the customer has used up what is theirs, not_now,
    model_down or busy; `text` is what the limit has to say itself; `limit` is the customer's own that is in
    the way, where it is theirs.
    """

    reason: str
    about: str
    text: str = ""
    limit: Standing | None = None

    def why(self, locale: str) -> str:
        """Which limit it is and when there is more; empty where it is none of the customer's."""
        return limit_told.sentence(self.limit, locale)


MODEL_DOWN = Refusal("model_down", "model_down")
BUSY = Refusal("busy", "busy")


def of(error: Exhausted | SpendingStopped | Unpriced | GaveUp) -> Refusal:
    match error:
        case Exhausted():
            theirs = limit_told.theirs(error)
            return Refusal("usage_limit", "usage_limit" if theirs else "not_now", error.text, theirs)
        case SpendingStopped():
            return Refusal("spending_stopped", "not_now")
        case Unpriced():
            return Refusal("unpriced", "model_down")
        case _:
            return Refusal(f"ceiling of {error}", "not_now")
