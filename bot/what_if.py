"""What a draft of a tier's limits would have done in the last days, beside the limits as they are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts import books, limit_presets, past_turns, whatif
from accounts.books import Book
from accounts.limit_sentences import sentence
from accounts.models import Customer, Limit, Tier
from accounts.past_turns import TurnUse
from accounts.whatif import Outcome, Tally
from bot import offers

DAYS = (7, 30, 90)
TOP = 20
CLASSES_SAID = "The tier does not name the class that answered."


@dataclass(frozen=True)
class Row:
    """One line of the page: what happens now, and what would with the draft."""

    name: str
    now: Tally
    draft: Tally
    # Of a customer that there still is.
    customer: str = ""

    @property
    def more(self) -> tuple[int, int, Decimal]:
        """By how much the draft changes it: turns refused, turns stepped down, US dollars saved."""
        now, draft = self.now, self.draft
        return draft.refused - now.refused, draft.stepped - now.stepped, draft.saved - now.saved


@dataclass
class Comparison:
    """Both replays of the same turns."""

    days: int
    now: Outcome
    draft: Outcome
    limits: list[Row] = field(default_factory=list)
    # Each day with what happens now, and what would.
    by_day: list[tuple[date, Tally, Tally]] = field(default_factory=list)
    customers: list[Row] = field(default_factory=list)
    # How many customers the draft would have treated in another way, of whom the page shows some.
    affected: int = 0
    # The replay begins later than was asked for: there are more turns than it reads.
    cut_at: datetime | None = None

    @property
    def saved(self) -> Decimal:
        """US dollars that the draft saves beside the limits as they are; negative where it spends more."""
        return self.now.spent - self.draft.spent

    @property
    def saved_percent(self) -> Decimal:
        """Of what is spent now."""
        spent = self.now.spent
        return (self.saved * 100 / spent).quantize(Decimal("0.1")) if spent else Decimal(0)

    @property
    def asking(self) -> int:
        return len(self.now.asked)

    @property
    def unpriced(self) -> int:
        """Turns of which nobody knows what they cost, or would have."""
        return max(self.now.unpriced, self.draft.unpriced)

    @property
    def busiest(self) -> int:
        """Turns refused or stepped down on the day with most of them, now or with the draft."""
        return max((max(now.touched, draft.touched) for _, now, draft in self.by_day), default=0)


def compare(tier: Tier, draft: Sequence[Limit], days: int, now: datetime | None = None) -> Comparison:
    """Replay the last days, today included, with the tier's draft and as things are.

    1. Both books, and the price of each class.
    2. The turns, from before the days: what was used then still counts in longer windows.
    3. Both replays in one pass.
    4. What differs: by limit, by day, by customer.
    """
    saved = books.in_force()
    drafted = saved.drafted(tier, draft)
    zone = ZoneInfo(saved.zone)
    today = (now or timezone.now()).astimezone(zone).date()
    since = datetime.combine(today - timedelta(days=days - 1), time(), tzinfo=zone)
    read = _Read(past_turns.since(since - max(saved.longest(), drafted.longest())))
    as_is, as_drafted = whatif.replay(read, [saved, drafted], offers.for_replays().get, since)
    found = Comparison(days, as_is, as_drafted)
    found.limits = _limits((saved, found.now), (drafted, found.draft), tier)
    every_day = [since.date() + timedelta(days=n) for n in range(days)]
    found.by_day = [
        (day, found.now.by_day.get(day, Tally()), found.draft.by_day.get(day, Tally())) for day in every_day
    ]
    differ = _customers(found.now, found.draft)
    found.affected, found.customers = len(differ), _named(differ[:TOP])
    if read.count >= past_turns.MOST and read.first and read.first > since.timestamp():
        found.cut_at = datetime.fromtimestamp(read.first, zone)
    return found


class _Read:
    """Turns on their way to the replays, counted."""

    def __init__(self, turns: Iterable[TurnUse]) -> None:
        self._turns = turns
        self.count = 0
        self.first = 0.0

    def __iter__(self) -> Iterator[TurnUse]:
        for turn in self._turns:
            self.first = self.first or turn.began
            self.count += 1
            yield turn


def _limits(now: tuple[Book, Outcome], draft: tuple[Book, Outcome], tier: Tier) -> list[Row]:
    """The draft's limits, and whatever else refuses somebody; one line where both have the same measure."""
    before, after = _by_measure(*now), _by_measure(*draft)
    zone = now[0].zone
    rows = []
    for measure, (limit, tally) in sorted(after.items(), key=lambda one: one[1][0].tier_id != tier.pk):
        _, was = before.pop(measure, (limit, Tally()))
        if limit.tier_id == tier.pk or any(map(_does_something, (was, tally))):
            whose = f"{limit.tier.name}: " if limit.tier and limit.tier_id != tier.pk else ""
            rows.append(Row(whose + sentence(limit, zone), was, tally))
    for limit, was in before.values():
        rows.append(Row(f"{sentence(limit, zone)} (not in the draft)", was, Tally()))
    was, tally = (outcome.by_limit.get(whatif.CLASS_NOT_ALLOWED, Tally()) for _, outcome in (now, draft))
    if any(map(_does_something, (was, tally))):
        rows.append(Row(CLASSES_SAID, was, tally))
    return rows


def _does_something(tally: Tally) -> bool:
    return bool(tally.touched or tally.saved)


def _by_measure(book: Book, outcome: Outcome) -> dict[object, tuple[Limit, Tally]]:
    return {
        (limit.tier_id, limit.site_id, limit_presets.measure(limit)): (
            limit,
            outcome.by_limit.get(place, Tally()),
        )
        for place, limit in enumerate(book.limits)
    }


def _customers(now: Outcome, draft: Outcome) -> list[Row]:
    """Whom the draft treats in another way, those whom it refuses most first."""
    rows = [
        Row(one, now.by_customer.get(one, Tally()), draft.by_customer.get(one, Tally()))
        for one in now.by_customer.keys() | draft.by_customer.keys()
    ]
    differ = [row for row in rows if any(row.more)]
    return sorted(differ, key=lambda row: (*(-one for one in row.more), row.name))


def _named(rows: list[Row]) -> list[Row]:
    known = {str(one.pk): one for one in Customer.objects.filter(pk__in=[row.name for row in rows])}
    return [
        Row(str(known[row.name]), row.now, row.draft, row.name)
        if row.name in known
        else Row(f"gone, {row.name[:8]}", row.now, row.draft)
        for row in rows
    ]
