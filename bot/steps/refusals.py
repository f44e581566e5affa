"""Why no model answers, or none goes on: what the turn keeps of it, and which words the customer gets."""

from dataclasses import dataclass

from accounts.models import Limit
from accounts.quota import Exhausted, SpendingStopped
from bot.errors import GaveUp
from bot.steps.choice import Unpriced

# What limits and ceilings raise.
REFUSED = (Exhausted, SpendingStopped, Unpriced)

_OF_THE_CUSTOMER = (Limit.Scope.CUSTOMER, Limit.Scope.ADDRESS)


@dataclass(frozen=True)
class Refusal:
    """`about` names the words for it: usage_limit where the customer has used up what is theirs, not_now,
    model_down or busy; `text` is what the limit has to say itself.
    """

    reason: str
    about: str
    text: str = ""


MODEL_DOWN = Refusal("model_down", "model_down")
BUSY = Refusal("busy", "busy")


def of(error: Exhausted | SpendingStopped | Unpriced | GaveUp) -> Refusal:
    match error:
        case Exhausted():
            theirs = any(one.rule.scope in _OF_THE_CUSTOMER for one in error.full)
            return Refusal("usage_limit", "usage_limit" if theirs else "not_now", error.text)
        case SpendingStopped():
            return Refusal("spending_stopped", "not_now")
        case Unpriced():
            return Refusal("unpriced", "model_down")
        case _:
            return Refusal(f"ceiling of {error}", "not_now")
