"""A machine that does anything in any order with the real ledger and with the plain one."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from accounts import limits, prices, quota, usage
from accounts.limits import Binding
from accounts.models import Customer, Deployment, Grant, Hold, Limit, Site, Tier, UsageEntry, Window
from accounts.quota import Most
from accounts.usage import Bound, CallCharge, Counted
from tests.accounts.limit_kinds import KINDS, Kind
from tests.accounts.plain_ledger import Given, PlainLedger, Wish

START = datetime(2026, 3, 28, 23, 57, 30, tzinfo=UTC)  # so that midnight comes in the middle
SECONDS = 60
PER_ADDRESS = Decimal(4)
MODELS = [("large", "big-1"), ("small", "tiny-1")]
ZERO = Decimal(0)

counts = st.sampled_from([0, 1, 40, 100, 130])
places = st.integers(0, 50)


@dataclass
class OneCall:
    use: uuid.UUID
    model_class: str
    model: str
    read: int
    paid: prices.Overrides
    state: str = "open"
    # What it was charged in the end, by metric.
    used: dict[str, Decimal] = field(default_factory=dict)


@dataclass
class OneTurn:
    """As a worker has it: with the limits it read when it began."""

    id: uuid.UUID
    customer: Customer
    binding: Binding
    known: dict[int, Kind]
    calls: list[OneCall] = field(default_factory=list)
    actions: list[uuid.UUID] = field(default_factory=list)


def used_by(read: int, written: int, paid: prices.Overrides) -> dict[str, Decimal]:
    """By metric; money from the very prices, to the last digit of the books."""
    cost = (read * paid.input + written * paid.output) / 1_000_000 + paid.call
    counted = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written, "money": cost}
    return {metric: Decimal(count).quantize(Decimal("1e-12")) for metric, count in counted.items()}


class Books(RuleBasedStateMachine):
    def __init__(self, site: Site, free: Tier, customers: list[Customer]) -> None:
        super().__init__()
        self.site, self.free, self.customers = site, free, customers
        self.start = transaction.savepoint()
        self.now, self.plain, self.stopped = START, PlainLedger(), False
        self.limits: dict[int, tuple[Kind, Decimal]] = {}
        self.turns: list[OneTurn] = []
        self.paid = prices.Overrides(Decimal("0.15"), Decimal("0.15"), Decimal("0.6"), ZERO)
        self.numbers = iter(range(1, 10_000))
        for kind in KINDS[:2]:
            self._add(kind, Decimal(3))

    # Limits, prices, clocks

    def _add(self, kind: Kind, amount: Decimal) -> None:
        row = Limit.objects.create(amount=amount, **kind.columns(self.free, self.site))
        self.limits[row.id] = kind, amount

    @rule(kind=st.sampled_from(KINDS), number=places)
    def set_a_limit(self, kind: Kind, number: int) -> None:
        amount = Decimal(kind.amounts[number % len(kind.amounts)])
        same = [id for id, (other, _) in self.limits.items() if other == kind]
        if same:
            Limit.objects.filter(id=same[0]).update(amount=amount)
            self.limits[same[0]] = kind, amount
        else:
            self._add(kind, amount)

    @rule(number=places)
    def remove_a_limit(self, number: int) -> None:
        if self.limits:
            id = [*self.limits][number % len(self.limits)]
            Limit.objects.filter(id=id).delete()
            del self.limits[id]

    @rule(number=places, kind=st.sampled_from(KINDS))
    def let_a_limit_count_something_else(self, number: int, kind: Kind) -> None:
        if self.limits and kind not in [known for known, _ in self.limits.values()]:
            id = [*self.limits][number % len(self.limits)]
            Limit.objects.filter(id=id).update(**kind.columns(self.free, self.site))
            self.limits[id] = kind, self.limits[id][1]

    @rule(
        price=st.sampled_from(["0", "0.15", "2.5", "0.123456789012"]), call=st.sampled_from(["0", "0.0001"])
    )
    def change_the_price(self, price: str, call: str) -> None:
        self.paid = prices.Overrides(Decimal(price), Decimal(price), Decimal(price) * 4, Decimal(call))

    @rule(seconds=st.sampled_from([1, 20, 61, 61, 1800, 3600, 4 * 3600, 86400, -30]))
    def let_time_pass(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds, microseconds=1)

    @rule()
    def stop_or_go_on_spending(self) -> None:
        self.stopped = not self.stopped
        at = self.now if self.stopped else None
        Deployment.objects.update_or_create(id=1, defaults={"stopped_at": at})

    # Grants

    @rule(
        who=st.integers(0, 2),
        metric=st.sampled_from(["messages", "total_tokens", "money"]),
        model_class=st.sampled_from(["", "", "large"]),
        amount=st.integers(0, 2),
        hours=st.sampled_from([1, 30]),
    )
    def give(self, who: int, metric: str, model_class: str, amount: int, hours: int) -> None:
        amounts = {
            "messages": "123",
            "total_tokens": ["90", "150", "400"],
            "money": ["0.0001", "0.0002", "1"],
        }
        id, customer = uuid.UUID(int=next(self.numbers)), self.customers[who].id
        expires, given = self.now + timedelta(hours=hours), Decimal(amounts[metric][amount])
        row = {"id": id, "customer": customer, "metric": metric, "model_class": model_class}
        Grant.objects.create(**row, amount=given, expires_at=expires)
        self.plain.grants.append(Given(**row, amount=given, expires_at=expires))

    @rule(number=places)
    def withdraw(self, number: int) -> None:
        if self.plain.grants:
            given = self.plain.grants[number % len(self.plain.grants)]
            Grant.objects.filter(id=given.id).update(withdrawn_at=self.now)
            given.withdrawn = True

    # Turns, calls, actions

    def _turn(self, number: int) -> OneTurn:
        # Two of three times one of the last, in which something is going on.
        recent = self.turns[-2:] if number % 3 else self.turns
        return recent[number % len(recent)]

    @rule(who=st.integers(0, 2))
    def open_a_turn(self, who: int) -> None:
        customer, id = self.customers[who], uuid.UUID(int=next(self.numbers))
        known = {id: kind for id, (kind, _) in self.limits.items()}
        self.turns.append(OneTurn(id, customer, limits.binding(customer, self.now), known))

    @precondition(lambda self: self.turns)
    @rule(number=places, of=st.sampled_from(MODELS), read=counts, written=counts)
    def begin_a_call(self, number: int, of: tuple[str, str], read: int, written: int) -> None:
        turn = self._turn(number)
        call = OneCall(uuid.UUID(int=next(self.numbers)), *of, read, self.paid)
        if self._begin(turn, call, written):
            turn.calls.append(call)

    @precondition(lambda self: any(turn.calls for turn in self.turns))
    @rule(number=places, written=counts)
    def begin_the_same_call_again(self, number: int, written: int) -> None:
        turn, call = self._call(number)
        if call.state == "open":
            self._begin(turn, call, written)

    def _begin(self, turn: OneTurn, call: OneCall, written: int) -> bool:
        most = used_by(call.read, written, call.paid)
        wishes = self._wishes(turn, call.model_class, call.model, {"messages": (turn.id, Decimal(1))})
        calls = {metric: (call.use, take) for metric, take in most.items()}
        wishes += self._wishes(turn, call.model_class, call.model, calls)
        asked = Most(call.model_class, call.model, call.read, written, most["money"])
        charge = self._charge(turn, call, Counted(call.read, 0), call.paid)
        return self._agree(
            lambda: usage.begin(charge, asked, Bound(turn.binding, SECONDS), self.now),
            [turn.id, call.use],
            wishes,
            turn,
        )

    @precondition(lambda self: self.turns)
    @rule(number=places, again=st.booleans())
    def hold_an_action(self, number: int, again: bool) -> None:
        turn = self._turn(number)
        if not (again and turn.actions):
            turn.actions.append(uuid.UUID(int=next(self.numbers)))
        use = turn.actions[-1]
        if wishes := self._wishes(turn, "", "", {"actions": (use, Decimal(1))}):
            options = {"seconds": SECONDS, "now": self.now, "binding": turn.binding}
            self._agree(
                lambda: quota.hold_action(use, turn.id, turn.customer, **options), [use], wishes, turn
            )

    def _agree(self, hold, uses: list[uuid.UUID], wishes: list[Wish], turn: OneTurn) -> bool:
        """Do it in both books; both grant it or neither."""
        expected = not self.stopped and self.plain.hold(uses, wishes, turn.customer.id, self.now, SECONDS)
        try:
            hold()
        except quota.SpendingStopped:
            assert self.stopped
            return False
        except quota.Exhausted:
            assert not self.stopped
            assert not expected
            return False
        assert expected
        taken = [p for use in uses for p in self.plain.parts.get(use, []) if p.state == "held" and p.amount]
        self._has_room(
            [part.place for part in taken if part.expires_at == self.now + timedelta(seconds=SECONDS)]
        )
        return True

    def _wishes(self, turn: OneTurn, model_class: str, model: str, takes: dict) -> list[Wish]:
        """What the limits that were read then, and count the same now, count of it."""
        subjects = {
            "customer": f"customer:{turn.customer.id}",
            "tier": "tier:free",
            "address": turn.customer.address and f"address:{turn.customer.address}",
            "site": f"site:{self.site.key}",
            "deployment": "deployment",
        }
        wishes = []
        if turn.customer.address and "messages" in takes:
            use, take = takes["messages"]
            rule_, subject = "messages:any:day", subjects["address"]
            wishes = [Wish(use, "messages", model_class, rule_, subject, take, PER_ADDRESS, 86400)]
        for id, (kind, amount) in self.limits.items():
            counts = kind.model_class in ("", model_class) and kind.model in ("", model)
            if counts and kind.metric in takes and turn.known.get(id) == kind and subjects[kind.scope]:
                use, take = takes[kind.metric]
                place = (kind.rule, subjects[kind.scope])
                wishes.append(
                    Wish(use, kind.metric, model_class, *place, take, amount, kind.seconds, kind.hours)
                )
        return wishes

    def _call(self, number: int) -> tuple[OneTurn, OneCall]:
        calls = [(turn, call) for turn in self.turns for call in turn.calls]
        return calls[-1 - number % min(4, len(calls))]

    @precondition(lambda self: any(turn.calls for turn in self.turns))
    @rule(number=places, read=counts, written=counts)
    def end_a_call(self, number: int, read: int, written: int) -> None:
        turn, call = self._call(number)
        usage.end(self._charge(turn, call, Counted(read, written), self.paid))
        if call.state != "ok":
            call.state, call.used = "ok", used_by(read, written, self.paid)
            self.plain.end(call.use, call.used)

    @precondition(lambda self: self.turns)
    @rule(number=places, produced=counts)
    def give_calls_up_for_lost(self, number: int, produced: int) -> None:
        turn = self._turn(number)
        usage.close_lost(turn.id, 2, produced)
        for call in reversed(turn.calls):
            if call.state == "open":
                call.state, call.used = "lost", used_by(call.read, produced, call.paid)
                self.plain.end(call.use, call.used)
            # Nothing of it was said by the calls before the last.
            produced = 0

    @precondition(lambda self: self.turns)
    @rule(number=places, do=st.sampled_from(["settle", "release"]), action=st.booleans())
    def end_a_turn_or_an_action(self, number: int, do: str, action: bool) -> None:
        turn = self._turn(number)
        use = turn.actions[-1] if action and turn.actions else turn.id
        getattr(quota, do)(use)
        getattr(self.plain, do)(use)

    @rule()
    def expire(self) -> None:
        assert quota.expire(self.now) == self.plain.expire(self.now)

    def _charge(self, turn: OneTurn, call: OneCall, tokens: Counted, paid: prices.Overrides) -> CallCharge:
        named = {"provider": "p", "model": call.model, "model_class": call.model_class}
        whose = {"customer": turn.customer.id, "site": self.site.key, "tier": "free"}
        return CallCharge(
            call.use, turn.id, 1, **whose, **named, tokens=tokens, exact=True, terms=prices.Terms(paid)
        )

    # What must hold

    @invariant()
    def the_books_agree(self) -> None:
        rows = _rows()
        for place, row in rows.items():
            assert row.held + row.settled <= self.plain.at(place).amount + row.overrun, place
        found = _not_nothing({p: (row.held, row.settled, row.overrun) for p, row in rows.items()})
        plain = {p: (count.held, count.settled, count.overrun) for p, count in self.plain.counts.items()}
        assert found == _not_nothing(plain)
        assert found == _not_nothing(_sums())

    def _has_room(self, taken: list) -> None:
        rows = _rows()
        for place in taken:
            assert rows[place].held + rows[place].settled <= self.plain.at(place).amount, place

    def teardown(self) -> None:
        try:
            self._rest()
        finally:
            transaction.savepoint_rollback(self.start)

    def _rest(self) -> None:
        """When all rests nothing is held, and the books sum to the entries exactly."""
        for turn in self.turns:
            usage.close_lost(turn.id, 2, 0)
        quota.expire(self.now + timedelta(hours=1))
        assert not any(row.held for row in _rows().values())
        for entry in UsageEntry.objects.all():
            total = entry.input_tokens + entry.output_tokens
            charged = {"input_tokens": entry.input_tokens, "output_tokens": entry.output_tokens}
            charged |= {"total_tokens": total, "money": entry.cost}
            for hold in Hold.objects.filter(use=entry.call, window__isnull=False).select_related("window"):
                paid = Hold.objects.filter(use=entry.call, grant__isnull=False, metric=hold.metric)
                own = hold.window.subject.startswith("customer:")
                granted = sum(paid.values_list("settled", flat=True)) if own else 0
                assert (hold.state, hold.settled + granted) == ("settled", charged[hold.metric])


def _rows() -> dict:
    windows = {(window.rule, window.subject, window.number): window for window in Window.objects.all()}
    return windows | {grant.id: grant for grant in Grant.objects.all()}


def _sums() -> dict:
    """By place: held, settled and overrun of its holds."""
    sums = {}
    for hold in Hold.objects.select_related("window"):
        place = hold.grant_id or (hold.window.rule, hold.window.subject, hold.window.number)
        held, settled, overrun = sums.get(place, (ZERO, ZERO, ZERO))
        held += hold.amount if hold.state == "held" else 0
        sums[place] = (held, settled + hold.settled, overrun + hold.overrun)
    return sums


def _not_nothing(counts: dict) -> dict:
    return {place: count for place, count in counts.items() if any(count)}
