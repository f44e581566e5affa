"""What one question may come to at most: as its customer's tier says, else the deployment."""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from accounts.models import Tier
from bot.steps import read

# How often a model is asked in one turn.
ROUNDS = 5


@dataclass(frozen=True)
class Ceilings:
    """What one turn may come to; None: what the model allows. `turn_cost` is in US dollars."""

    prompt_tokens: int | None
    answer_tokens: int | None
    rounds: int
    turn_tokens: int
    turn_cost: Decimal

    def budget(self, context_tokens: int) -> int:
        """Tokens of a prompt for a model that takes so many."""
        return min(context_tokens, self.prompt_tokens or context_tokens)

    def longest_answer(self, answer_tokens: int) -> int:
        """Tokens of an answer by a model that may give so many."""
        return min(answer_tokens, self.answer_tokens or answer_tokens)


def of(tier: Tier) -> Ceilings:
    return Ceilings(
        prompt_tokens=tier.prompt_tokens,
        answer_tokens=tier.answer_tokens,
        rounds=tier.rounds or ROUNDS,
        turn_tokens=settings.TURN_TOKENS,
        turn_cost=settings.TURN_COST if tier.turn_cost is None else tier.turn_cost,
    )


def question_characters(tier: Tier) -> int:
    """The longest message; never longer than the scrubber reads by one call."""
    return min(tier.question_characters or settings.MESSAGE_MAX_CHARS, read.MOST_CHARACTERS)
