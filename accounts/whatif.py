"""What a draft of limits would have done to past turns, before anybody saves it. Knows no database.

Each turn passes the windows as the limits would have filled them: it fits, or the next cheaper class of its
tier answers it with as many tokens, or it is refused and has cost nothing. A turn fits when what it has used
does. Before a call more than that is held, so that the ledger refuses a little earlier than a replay.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from accounts import limits
from accounts.books import Book, rule_of
from accounts.limits import Rule
from accounts.meters import FirstUseMeter, Meter
from accounts.models import CLASSES, Limit
from accounts.past_turns import TurnUse
from accounts.prices import Rates

# Where a turn's class is not one that the tier may use: no limit is to blame.
CLASS_NOT_ALLOWED = -1
_NOTHING = Decimal(0)
_RANK = {name: rank for rank, name in enumerate(CLASSES)}


@dataclass(frozen=True)
class Offer:
    """What answers in a class: the model that is asked first, and what it costs; None: nobody knows."""

    model: str
    rates: Rates | None

    def cost(self, turn: TurnUse) -> Decimal | None:
        """US dollars of the same tokens in as many calls."""
        if self.rates is None:
            return None
        once = self.rates.cost(turn)
        return None if once is None else once + (turn.calls - 1) * self.rates.call


Offers: TypeAlias = Callable[[str], Offer | None]


@dataclass
class Tally:
    """Turns that a model had answered: `refused`, or `stepped` down; and US dollars less, of all turns."""

    refused: int = 0
    stepped: int = 0
    saved: Decimal = Decimal(0)

    @property
    def touched(self) -> int:
        """Turns, refused or stepped down."""
        return self.refused + self.stepped

    def add(self, other: "Tally") -> None:
        self.refused += other.refused
        self.stepped += other.stepped
        self.saved += other.saved


@dataclass
class Outcome:
    """What a book would have done; `by_limit` by its place in the book, and CLASS_NOT_ALLOWED."""

    turns: int = 0
    cost: Decimal = Decimal(0)
    total: Tally = field(default_factory=Tally)
    by_limit: dict[int, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_day: dict[date, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_customer: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    # Customers who have asked anything.
    asked: set[str] = field(default_factory=set)
    # Answered turns of which no cost is known, as they were or as they would have been.
    unpriced: int = 0

    @property
    def spent(self) -> Decimal:
        """US dollars, with this book."""
        return self.cost - self.total.saved


def replay(
    turns: Iterable[TurnUse], books: Sequence[Book], offers: Offers, since: datetime | None = None
) -> list[Outcome]:
    """What each book would have done to the turns, which come in the order of time.

    Turns before `since` fill windows, and are told in no figure.
    """
    began = since.timestamp() if since else 0
    replays = [_Replay(book, offers) for book in books]
    for turn in turns:
        counted = turn.began >= began
        for one in replays:
            one.take(turn, counted)
    return [one.outcome for one in replays]


# Which of a turn's takes a limit counts, and whom.
_TAKES = {
    metric: place
    for place, metric in enumerate(("messages", "input_tokens", "output_tokens", "total_tokens", "money"))
}
_MESSAGES, _MONEY = _TAKES["messages"], _TAKES["money"]
# An address of which a limit counts the visitors of one site alone.
_AT_SITE = "address at a site"
_SUBJECTS: dict[str, Callable[[TurnUse], str]] = {
    Limit.Scope.CUSTOMER.value: attrgetter("customer"),
    Limit.Scope.TIER.value: attrgetter("tier"),
    Limit.Scope.ADDRESS.value: attrgetter("address"),
    _AT_SITE: lambda turn: f"{turn.site}:{turn.address}",
    Limit.Scope.SITE.value: attrgetter("site"),
    Limit.Scope.DEPLOYMENT.value: lambda turn: limits.DEPLOYMENT,
}


class _Counter(NamedTuple):
    """A limit that binds a turn, and the windows in which it counts."""

    place: int
    meter: Meter
    subject: Callable[[TurnUse], str]
    takes: int
    amount: Decimal | int
    steps_down: bool


class _Replay:
    """One book, with the windows that it has filled so far."""

    def __init__(self, book: Book, offers: Offers) -> None:
        self.outcome = Outcome()
        self._book = book
        self._offers = {name: offer for name in CLASSES if (offer := offers(name))}
        self._rules = [rule_of(limit, book.zone) for limit in book.limits]
        self._zone = ZoneInfo(book.zone)
        self._meters: dict[tuple[str, str], Meter] = {}
        self._bound: dict[tuple[str, str, bool, str, str], list[_Counter]] = {}

    def take(self, turn: TurnUse, counted: bool) -> None:
        """Let a turn pass the limits, and fill their windows with what becomes of it."""
        model_class, model, cost, blamed = turn.model_class, turn.model, turn.cost, None
        classes = self._book.classes.get(turn.tier, [model_class])
        full: list[_Counter] = []
        if model_class not in classes and (lower := self._cheaper(classes, model_class, turn)):
            blamed = CLASS_NOT_ALLOWED
            model_class, model, cost = lower
        while True:
            counters = self._counters(turn, model_class, model)
            takes = _takes(turn, cost)
            full, used = _look(counters, turn, takes)
            if not full:
                break
            blamed = _last_to_reset(full, turn).place if blamed is None else blamed
            lower = self._cheaper(classes, model_class, turn) if any(c.steps_down for c in full) else None
            if lower is None:
                # Whoever has the last word refuses it, whoever made it step down.
                blamed = _last_to_reset(full, turn).place
                break
            model_class, model, cost = lower
        if not full:
            _fill(counters, turn, used)
        if counted:
            self._tell(turn, blamed, bool(full), cost)

    def _tell(self, turn: TurnUse, blamed: int | None, refused: bool, cost: Decimal | None) -> None:
        outcome = self.outcome
        before = _NOTHING if turn.cost is None else turn.cost
        outcome.cost += before
        outcome.asked.add(turn.customer)
        if turn.answered:
            outcome.turns += 1
            outcome.unpriced += turn.cost is None or (cost is None and not refused)
        if blamed is None:
            return
        saved = before if refused else before - cost if cost is not None else _NOTHING
        one = Tally(int(refused and turn.answered), int(not refused and turn.answered), saved)
        day = datetime.fromtimestamp(turn.began, self._zone).date()
        tallies = (outcome.by_limit[blamed], outcome.by_day[day], outcome.by_customer[turn.customer])
        for tally in (outcome.total, *tallies):
            tally.add(one)

    def _cheaper(
        self, classes: Sequence[str], model_class: str, turn: TurnUse
    ) -> tuple[str, str, Decimal | None] | None:
        """The next cheaper class that a model answers: its name, its model, and what the turn costs there."""
        for name in reversed(CLASSES[: _RANK.get(model_class, 0)]):
            offer = self._offers.get(name)
            if name not in classes or offer is None:
                continue
            cost = offer.cost(turn)
            if cost is not None or not self._needs_price(turn, name, offer.model):
                return name, offer.model, cost
        return None

    def _needs_price(self, turn: TurnUse, model_class: str, model: str) -> bool:
        """A model of unknown price answers nobody whose money is limited."""
        return any(c.takes == _MONEY for c in self._counters(turn, model_class, model))

    def _counters(self, turn: TurnUse, model_class: str, model: str) -> list[_Counter]:
        """What counts a turn that this model answers; found once for all turns that are alike."""
        alike = (turn.tier, turn.site, bool(turn.address), model_class, model)
        if alike not in self._bound:
            self._bound[alike] = list(self._binding(turn, model_class, model))
        return self._bound[alike]

    def _binding(self, turn: TurnUse, model_class: str, model: str) -> Iterable[_Counter]:
        """Each measure once: of several limits the least amount decides."""
        least: dict[tuple[str, str], _Counter] = {}
        for place, (limit, rule) in enumerate(zip(self._book.limits, self._rules, strict=True)):
            if not (_binds(limit, turn) and rule.counts(model_class, model)):
                continue
            whose = _AT_SITE if limit.scope == Limit.Scope.ADDRESS and limit.site else rule.scope
            measure = (rule.key, whose)
            if measure not in least or rule.amount < least[measure].amount:
                least[measure] = self._counter(place, rule, whose)
        return least.values()

    def _counter(self, place: int, rule: Rule, whose: str) -> _Counter:
        meter = FirstUseMeter(rule) if rule.hours else Meter(rule)
        # All but money is whole, and integers are quicker.
        amount = rule.amount if rule.metric == Limit.Metric.MONEY else int(rule.amount)
        return _Counter(
            place=place,
            meter=self._meters.setdefault((rule.key, whose), meter),
            subject=_SUBJECTS[whose],
            takes=_TAKES[rule.metric],
            amount=amount,
            steps_down=rule.when_full == Limit.WhenFull.NEXT,
        )


def _binds(limit: Limit, turn: TurnUse) -> bool:
    """Whether a limit counts this turn's customer, for a metric of which the ledger knows."""
    if limit.metric == Limit.Metric.ACTIONS:
        return False
    match limit.scope:
        case Limit.Scope.DEPLOYMENT:
            return True
        case Limit.Scope.SITE:
            return limit.site is not None and limit.site.key == turn.site
        case Limit.Scope.ADDRESS:
            return bool(turn.address) and (limit.site is None or limit.site.key == turn.site)
    return limit.tier is not None and limit.tier.slug == turn.tier


def _takes(turn: TurnUse, cost: Decimal | None) -> tuple[Decimal | int, ...]:
    """In the order of _TAKES."""
    return 1, turn.input, turn.output, turn.input + turn.output, cost or 0


def _look(
    counters: list[_Counter], turn: TurnUse, takes: Sequence[Decimal | int]
) -> tuple[list[_Counter], list[Decimal | int]]:
    """Which have no room for the turn, and how much each has used with it."""
    full, used, now = [], [], turn.began
    for one in counters:
        _, meter, subject, place, amount, _ = one
        after = meter.used(subject(turn), now) + takes[place]
        used.append(after)
        if after > amount:
            full.append(one)
    return full, used


def _fill(counters: list[_Counter], turn: TurnUse, used: list[Decimal | int]) -> None:
    """Messages count where the turn was answered."""
    now, answered = turn.began, turn.answered
    for (_, meter, subject, place, _, _), after in zip(counters, used, strict=True):
        if place != _MESSAGES or answered:
            meter.put(subject(turn), after, now)


def _last_to_reset(full: list[_Counter], turn: TurnUse) -> _Counter:
    """The one that a customer is told of."""
    return max(full, key=lambda one: one.meter.ends(one.subject(turn)))
