"""What so many questions would cost a month, by class of models, at the prices in force."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.db import connection
from django.template.loader import get_template
from django.utils import timezone

from accounts.models import CLASSES, UsageEntry
from accounts.prices import Rates
from accounts.usage import Counted
from bot.llm import counting
from bot.llm.base import Request
from bot.offers import Offered
from bot.tools import registry

# A month, for all of this.
DAYS = 30
# Where to begin, before a deployment has figures of its own: what is added to instructions and tools for what
# was said before and for a passage of the help pages; and an answer of some hundred words.
HISTORY_TOKENS, ANSWER_TOKENS = 800, 150
_SMALLEST = CLASSES[0]
_PERCENT = Decimal(100)

# Turns of which the conversation is known say how many questions one has.
_MEASURED = """
SELECT count(*), count(t.conversation_id), count(DISTINCT t.conversation_id), sum(input), sum(cached),
       sum(output), count(*) FILTER (WHERE small), min(began)
  FROM (
      SELECT turn, sum(input_tokens) AS input, sum(cached_tokens) AS cached, sum(output_tokens) AS output,
             bool_and(model_class = %(small)s) AS small, min(created_at) AS began
        FROM accounts_usageentry WHERE created_at >= %(since)s AND outcome <> 'open' GROUP BY turn) turns
  LEFT JOIN bot_turn t ON t.id = turns.turn
"""


@dataclass(frozen=True)
class Load:
    """What customers ask in a day; tokens are those of one question, all its calls together."""

    conversations: Decimal
    questions: Decimal
    input_tokens: int
    output_tokens: int
    cached_percent: Decimal = Decimal(0)
    small_percent: Decimal = Decimal(50)
    # What each customer may have answered a day.
    messages: int | None = None

    @property
    def tokens(self) -> Counted:
        """Of one question."""
        cached = (self.input_tokens * self.cached_percent / _PERCENT).to_integral_value(ROUND_HALF_UP)
        return Counted(self.input_tokens, self.output_tokens, int(cached))

    @property
    def a_month(self) -> Decimal:
        """Questions."""
        return self.conversations * self.questions * DAYS

    @property
    def a_month_capped(self) -> Decimal:
        """Questions that are answered when each conversation is another customer's."""
        asked = self.questions if self.messages is None else min(self.questions, Decimal(self.messages))
        return self.conversations * asked * DAYS


@dataclass(frozen=True)
class Cost:
    """US dollars of a load."""

    question: Decimal
    load: Load

    @property
    def month(self) -> Decimal:
        return self.question * self.load.a_month

    @property
    def capped(self) -> Decimal:
        """A month when the limit of messages holds, and each conversation is another customer's."""
        return self.question * self.load.a_month_capped

    @property
    def customer(self) -> Decimal:
        """What one customer costs at most in a month, asking all that the limit allows."""
        return self.question * (self.load.messages or 0) * DAYS


@dataclass(frozen=True)
class Line:
    """One model of a class; `first`: it answers, the others when it fails. `cost` is None without a price."""

    offered: Offered
    rates: Rates | None
    cost: Cost | None
    first: bool


@dataclass
class Estimate:
    load: Load
    lines: list[Line] = field(default_factory=list)
    # Small models for their share, and the class above for the rest.
    mixed: Cost | None = None
    mixed_with: str = ""

    @property
    def unpriced(self) -> list[str]:
        return [line.offered.model for line in self.lines if line.cost is None]


def estimate(load: Load, offered: dict[str, list[Offered]]) -> Estimate:
    """The load at the price of each model, and mixed."""
    every = [(one, number == 0) for models in offered.values() for number, one in enumerate(models)]
    found = Estimate(load, [_line(load, one, first=first) for one, first in every])
    asked = {line.offered.model_class: line.cost for line in found.lines if line.first and line.cost}
    small = asked.pop(_SMALLEST, None)
    if small and asked:
        found.mixed_with, above = next(iter(asked.items()))
        share = load.small_percent / _PERCENT
        found.mixed = Cost(small.question * share + above.question * (1 - share), load)
    return found


def usual() -> Load:
    """Where to begin: an afternoon's worth of questions, with the prompt that this deployment has."""
    return Load(Decimal(50), Decimal(4), prompt_tokens() + HISTORY_TOKENS, ANSWER_TOKENS)


def prompt_tokens() -> int:
    """What each call of a model reads before anybody has said anything: the instructions and the tools."""
    instructions: str = get_template("prompts/system.txt").template.source  # type: ignore[attr-defined]
    tools = tuple(tool.spec for tool in registry.offered().values())
    return counting.input_tokens(Request("", ({"role": "system", "content": instructions},), tools))


def has_figures(now: datetime | None = None) -> bool:
    """Whether the ledger can say what customers ask."""
    since = (now or timezone.now()) - timedelta(days=DAYS)
    return UsageEntry.objects.filter(created_at__gte=since).exclude(outcome="open").exists()


def measured(now: datetime | None = None) -> Load | None:
    """What the ledger says of the last days; of a younger deployment, since its first call."""
    now = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_MEASURED, {"since": now - timedelta(days=DAYS), "small": _SMALLEST})
        turns, placed, conversations, read, cached, written, small, began = cursor.fetchone()
    if not turns:
        return None
    days = max(Decimal(1), min(Decimal(DAYS), Decimal((now - began) / timedelta(days=1))))
    questions = Decimal(placed) / conversations if conversations else Decimal(1)
    return Load(
        conversations=_tenths(turns / questions / days),
        questions=_tenths(questions),
        input_tokens=round(read / turns),
        output_tokens=round(written / turns),
        cached_percent=_tenths(cached * _PERCENT / read if read else Decimal(0)),
        small_percent=_tenths(small * _PERCENT / Decimal(turns)),
    )


def _line(load: Load, offered: Offered, *, first: bool) -> Line:
    rates = offered.rates(load.input_tokens)
    question = rates.cost(load.tokens) if rates else None
    return Line(offered, rates, None if question is None else Cost(question, load), first)


def _tenths(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.1"), ROUND_HALF_UP)
