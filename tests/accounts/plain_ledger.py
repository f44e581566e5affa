"""What the quota ledger should count, told without SQL and as plainly as it can be."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

# A window by (rule, subject, number), or a grant by its id.
Place = tuple[str, str, int] | UUID


@dataclass
class Count:
    held: Decimal = Decimal(0)
    settled: Decimal = Decimal(0)
    overrun: Decimal = Decimal(0)
    # What was in force when something was last held here.
    amount: Decimal = Decimal(0)

    @property
    def used(self) -> Decimal:
        return self.held + self.settled


@dataclass
class Given:
    """A grant."""

    id: UUID
    customer: UUID
    metric: str
    model_class: str
    amount: Decimal
    expires_at: datetime
    withdrawn: bool = False


@dataclass(frozen=True)
class Wish:
    """What a use wants of one limit's window; `seconds` of a clock's period, `hours` from first use."""

    use: UUID
    metric: str
    model_class: str
    rule: str
    subject: str
    take: Decimal
    amount: Decimal
    seconds: int = 0
    hours: int = 0

    @property
    def own(self) -> bool:
        return self.subject.startswith("customer:")


@dataclass
class Part:
    """What a use has in one place."""

    place: Place
    metric: str
    amount: Decimal
    expires_at: datetime
    settled: Decimal = Decimal(0)
    overrun: Decimal = Decimal(0)
    state: str = "held"
    late: bool = False

    @property
    def own(self) -> bool:
        return isinstance(self.place, tuple) and self.place[1].startswith("customer:")

    @property
    def shared(self) -> bool:
        return isinstance(self.place, tuple) and not self.own


@dataclass
class PlainLedger:
    counts: dict[Place, Count] = field(default_factory=dict)
    parts: dict[UUID, list[Part]] = field(default_factory=dict)
    grants: list[Given] = field(default_factory=list)
    # Of windows from first use: the number of the latest and when it ends.
    latest: dict[tuple[str, str], tuple[int, datetime]] = field(default_factory=dict)

    def at(self, place: Place) -> Count:
        return self.counts.setdefault(place, Count())

    def hold(
        self, uses: Iterable[UUID], wishes: list[Wish], customer: UUID, now: datetime, seconds: float
    ) -> bool:
        """Whether all is granted; when not, nothing is."""
        anew = [use for use in uses if self._begins_anew(use, wishes)]
        wishes = [wish for wish in wishes if wish.use in anew]
        places = {wish: self._window(wish, now) for wish in wishes}
        lacking: dict[str, Decimal] = {}
        for wish in wishes:
            used = self.at(places[wish]).used - self._had(anew, places[wish])
            lack = min(wish.take, max(Decimal(0), used + wish.take - wish.amount))
            if lack and not (wish.own and lack <= sum(self._free(wish, customer, now, anew).values())):
                return False
            if wish.own:
                lacking[wish.metric] = max(lack, lacking.get(wish.metric, lack))
        for use in anew:
            self._end_one(use, {}, "released", ("held",))
            self.parts[use] = []
        for wish in wishes:
            share = wish.take - (lacking[wish.metric] if wish.own else 0)
            self._begin_from_first_use(wish, places[wish], now)
            self._take(wish, places[wish], share, wish.amount, now + timedelta(seconds=seconds))
        for wish in {wish.metric: wish for wish in wishes if wish.own}.values():
            self._take_grants(wish, lacking[wish.metric], customer, now, now + timedelta(seconds=seconds))
        return True

    def _begins_anew(self, use: UUID, wishes: list[Wish]) -> bool:
        parts = self.parts.get(use, [])
        held = {p.place[:2] for p in parts if p.state == "held" and isinstance(p.place, tuple)}
        wanted = {(wish.rule, wish.subject) for wish in wishes if wish.use == use}
        return held != wanted and all(part.state != "settled" for part in parts)

    def _had(self, uses: list[UUID], place: Place) -> Decimal:
        parts = [part for use in uses for part in self.parts.get(use, [])]
        return sum((p.amount for p in parts if p.place == place and p.state == "held"), Decimal(0))

    def _window(self, wish: Wish, now: datetime) -> Place:
        if wish.seconds:
            return wish.rule, wish.subject, int(now.timestamp()) // wish.seconds * wish.seconds
        number, ends_at = self.latest.get((wish.rule, wish.subject), (0, now))
        if ends_at <= now:
            number += 1
            self.latest[wish.rule, wish.subject] = number, now + timedelta(hours=wish.hours)
        return wish.rule, wish.subject, number

    def _begin_from_first_use(self, wish: Wish, place: Place, now: datetime) -> None:
        if wish.hours and not self.at(place).used:
            self.latest[wish.rule, wish.subject] = place[2], now + timedelta(hours=wish.hours)

    def _free(self, wish: Wish, customer: UUID, now: datetime, anew: list[UUID]) -> dict[UUID, Decimal]:
        """What is left of each grant that helps, that which ends soonest first."""
        helping = [
            one
            for one in sorted(self.grants, key=lambda one: (one.expires_at, one.id))
            if (one.customer, one.metric) == (customer, wish.metric)
            and one.model_class in ("", wish.model_class)
            and one.expires_at > now
            and not one.withdrawn
        ]
        left = {one.id: one.amount - self.at(one.id).used + self._had(anew, one.id) for one in helping}
        return {id: amount for id, amount in left.items() if amount > 0}

    def _take(self, wish: Wish, place: Place, share: Decimal, amount: Decimal, until: datetime) -> None:
        count = self.at(place)
        count.held += share
        if share:
            count.amount = amount
        self.parts[wish.use].append(Part(place, wish.metric, share, until))

    def _take_grants(self, wish: Wish, lack: Decimal, customer: UUID, now: datetime, until: datetime) -> None:
        amounts = {one.id: one.amount for one in self.grants}
        for id, free in self._free(wish, customer, now, []).items():
            if part := min(lack, free):
                self._take(wish, id, part, amounts[id], until)
                lack -= part
        assert lack == 0

    def settle(self, use: UUID) -> None:
        self._end_one(use, None, "settled", ("held", "expired"))

    def release(self, use: UUID) -> None:
        self._end_one(use, {}, "released", ("held",))

    def end(self, use: UUID, used: dict[str, Decimal]) -> None:
        """A call is over, whatever became of what it held."""
        self._end_one(use, used, "settled", ("held", "expired", "released", "settled"))

    def _end_one(
        self, use: UUID, used: dict[str, Decimal] | None, becomes: str, was: tuple[str, ...]
    ) -> None:
        ending = [part for part in self.parts.get(use, []) if part.state in was]
        for metric in {part.metric for part in ending}:
            of_metric = [part for part in ending if part.metric == metric]
            whole = None if used is None else used.get(metric, Decimal(0))
            for part, share in _shares(of_metric, whole):
                self._close(part, share, becomes)

    def _close(self, part: Part, share: Decimal, becomes: str) -> None:
        part.late = part.late or part.state in ("expired", "released")
        overrun = max(Decimal(0), share - (Decimal(0) if part.late else part.amount))
        count = self.at(part.place)
        if part.state == "held":
            count.held -= part.amount
        count.settled += share - part.settled
        count.overrun += overrun - part.overrun
        part.settled, part.overrun, part.state = share, overrun, becomes

    def expire(self, now: datetime) -> int:
        due = [p for parts in self.parts.values() for p in parts if p.state == "held" and p.expires_at <= now]
        for part in due:
            part.state = "expired"
            self.at(part.place).held -= part.amount
        return len(due)


def _shares(parts: list[Part], whole: Decimal | None) -> list[tuple[Part, Decimal]]:
    """What each part takes of what was used: own windows, then grants, and own windows what is more."""
    if whole is None:
        return [(part, part.amount) for part in parts]
    # Grants were appended in the order in which they pay.
    grants = [part for part in parts if not isinstance(part.place, tuple)]
    own = min(whole, max((part.amount for part in parts if part.own), default=Decimal(0)))
    left, shares = whole - own, []
    for part in grants:
        share = min(left, part.amount)
        left -= share
        shares.append((part, share))
    shares += [(part, own + left) for part in parts if part.own]
    return shares + [(part, whole) for part in parts if part.shared]
