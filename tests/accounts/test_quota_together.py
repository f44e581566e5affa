"""I5 when many come at once, against the real database: exactly as many as there is room for."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection
from django.db.models import Sum

from accounts import limits, prices, quota, usage
from accounts.models import Customer, Grant, Hold, Limit, Site, Tier, UsageEntry, Window
from accounts.quota import Exhausted, Most
from accounts.usage import Bound, CallCharge, Counted

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
READ, WRITTEN = 100, 300
# Its cost is no binary fraction: 0.000195 dollars.
PRICE = prices.Terms(prices.Overrides(Decimal("0.15"), Decimal("0.15"), Decimal("0.6")))
COST = Decimal("0.000195")
# How many come at once, and how often that is tried.
FEW = pytest.param(40, 1)
MANY = pytest.param(200, 5, marks=pytest.mark.thorough)


def at_once(*jobs: Callable[[], object]) -> list[BaseException | None]:
    """Run jobs in threads of their own that start together; what each raised."""
    start, outcomes = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(index: int) -> None:
        try:
            start.wait()
            jobs[index]()
        except Exception as error:
            outcomes[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def kinds(outcomes: list[BaseException | None]) -> dict[str, int]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def hold(customer: Customer, use: uuid.UUID | None = None) -> uuid.UUID:
    use = use or uuid.uuid4()
    quota.hold(use, customer, seconds=60, now=NOON)
    return use


class Caller:
    """One turn of a customer that makes one upstream call after the other."""

    def __init__(self, customer: Customer, model_class: str = "small") -> None:
        self.customer, self.turn = customer, uuid.uuid4()
        self.bound = Bound(limits.binding(customer, NOON), 60)
        self.begin_as(model_class)

    def begin_as(self, model_class: str) -> None:
        self.charge = CallCharge(
            call=uuid.uuid4(),
            turn=self.turn,
            attempt=1,
            customer=self.customer.id,
            site=self.customer.site.key,
            tier="free",
            provider="p",
            model=f"{model_class}-1",
            model_class=model_class,
            tokens=Counted(READ, WRITTEN),
            exact=True,
            terms=PRICE,
        )

    def begin(self) -> None:
        charge = self.charge
        usage.begin(charge, Most(charge.model_class, charge.model, READ, WRITTEN, COST), self.bound, NOON)

    def end(self) -> None:
        usage.end(self.charge)

    def step_down(self) -> None:
        self.begin_as("small")
        self.begin()


def window(subject: str, metric: str) -> Window:
    return Window.objects.get(subject=subject, rule__startswith=f"{metric}:")


def used(subject: str, metric: str) -> tuple[Decimal, Decimal, Decimal]:
    row = window(subject, metric)
    return row.held, row.settled, row.overrun


def at_rest() -> None:
    """Nothing is held, and each window and grant is the sum of what was settled there."""
    for place in (Window, Grant):
        for row in place.objects.annotate(total=Sum("holds__settled", default=Decimal(0))):
            assert (row.held, row.settled) == (0, row.total)
    assert not Hold.objects.filter(state="held").exists()


def deployment(metric: str, amount: object, **period: object) -> Limit:
    return Limit.objects.create(scope="deployment", metric=metric, amount=Decimal(amount), **period)


@pytest.fixture
def people(site: Site, free: Tier) -> list[Customer]:
    """Four customers whose own limits are wide."""
    free.limits.update(amount=1000)
    row = {"tier": free, "metric": "total_tokens", "period": "first_use", "hours": 1}
    Limit.objects.create(amount=10**6, **row)
    return [Customer.objects.create(site=site, sub_digest=str(number) * 32) for number in range(4)]


class TestExactly:
    @pytest.mark.parametrize("room", [1, 13])
    @pytest.mark.parametrize(("many", "times"), [FEW, MANY])
    def test_as_many_calls_begin_as_a_shared_window_has_room_for(
        self, people: list[Customer], room: int, many: int, times: int
    ):
        """Windows of everybody and of each, by the clock and from first use, are opened by all at once."""
        for _ in range(times):
            Limit.objects.filter(scope="deployment").delete()
            Hold.objects.all().delete()
            Window.objects.all().delete()
            deployment("money", room * COST, period="first_use", hours=24)
            deployment("output_tokens", room * WRITTEN + WRITTEN - 1, period="minute")
            callers = [Caller(people[number % 4]) for number in range(many)]
            outcomes = at_once(*[caller.begin for caller in callers])
            assert kinds(outcomes) == {"NoneType": room, "Exhausted": many - room}
            assert used("deployment", "money") == (room * COST, 0, 0)
            assert used("deployment", "output_tokens") == (room * WRITTEN, 0, 0)
            for metric, each in [("messages", 1), ("total_tokens", READ + WRITTEN)]:
                own = Window.objects.filter(subject__startswith="customer:", rule__startswith=metric)
                assert own.aggregate(held=Sum("held"))["held"] == room * each
                assert own.count() <= 4
            assert (
                UsageEntry.objects.filter(call__in=[caller.charge.call for caller in callers]).count() == room
            )
            at_once(
                *[caller.end for caller in callers], *[lambda c=c: quota.release(c.turn) for c in callers]
            )
            at_rest()
            assert used("deployment", "money")[1] == many * COST - (many - room) * COST

    @pytest.mark.parametrize(("many", "times"), [FEW, MANY])
    def test_as_many_are_held_as_the_limit_and_the_grants_pay_for(
        self, people: list[Customer], free: Tier, many: int, times: int
    ):
        alice = people[0]
        free.limits.filter(metric="messages").update(amount=4)
        deployment("messages", 1000)
        for _ in range(times):
            Hold.objects.all().delete()
            Window.objects.all().delete()
            Grant.objects.all().delete()
            ends = NOON + timedelta(days=1)
            for amount in (3, 5, Decimal("0.5")):
                Grant.objects.create(customer=alice.id, amount=amount, expires_at=ends)
            outcomes = at_once(*[lambda: hold(alice)] * many)
            assert kinds(outcomes) == {"NoneType": 4 + 8, "Exhausted": many - 12}
            assert used(f"customer:{alice.id}", "messages") == (4, 0, 0)
            assert used("deployment", "messages") == (12, 0, 0)
            assert Grant.objects.aggregate(held=Sum("held"))["held"] == 8
            assert not any(grant.held > grant.amount for grant in Grant.objects.all())
            uses = set(Hold.objects.values_list("use", flat=True))
            at_once(*[lambda use=use: quota.settle(use) for use in uses])
            at_rest()

    def test_as_many_visitors_are_held_as_their_network_has_room_for(self, site: Site, settings):
        settings.ANONYMOUS_PER_ADDRESS = Decimal(7)
        visitors = [Customer.objects.create(site=site, address="a" * 32) for _ in range(32)]
        outcomes = at_once(*[lambda v=v: hold(v) for v in visitors])
        assert kinds(outcomes) == {"NoneType": 7, "Exhausted": 25}
        assert used(f"address:{'a' * 32}", "messages") == (7, 0, 0)
        own = Window.objects.filter(subject__startswith="customer:")
        assert sum(one.held for one in own) == 7

    @pytest.mark.parametrize("room", [1, 20])
    def test_one_use_held_by_many_attempts_counts_once(self, visitor: Customer, free: Tier, room: int):
        free.limits.update(amount=room)
        use = uuid.uuid4()
        assert at_once(*[lambda: hold(visitor, use)] * 30) == [None] * 30
        assert [one.held for one in Window.objects.all()] == [1, 1]

    def test_room_given_back_is_taken_once(self, people: list[Customer], free: Tier):
        """Half of the turns give their message back while twice as many want it."""
        free.limits.filter(metric="messages").update(amount=10)
        alice = people[0]
        uses = [hold(alice) for _ in range(10)]
        outcomes = at_once(*[lambda u=u: quota.release(u) for u in uses[:5]], *[lambda: hold(alice)] * 30)
        assert set(kinds(outcomes)) <= {"NoneType", "Exhausted"}
        held = used(f"customer:{alice.id}", "messages")[0]
        assert held == 5 + outcomes[5:].count(None) <= 10


class TestWithoutDeadlock:
    @pytest.mark.parametrize(
        ("rounds", "times"), [pytest.param(1, 4), pytest.param(4, 25, marks=pytest.mark.thorough)]
    )
    def test_claims_that_overlap_in_another_order_wait_for_each_other(
        self, people: list[Customer], free: Tier, rounds: int, times: int
    ):
        """Calls begin, step down, end, are settled, given back and expire, over the same windows."""
        for name in ("large", "small"):
            row = {"tier": free, "model_class": name, "period": "first_use", "hours": 3}
            Limit.objects.create(amount=5, **row)
            deployment("money", 1, model_class=name, period="hour")
        deployment("messages", 1000, period="minute")
        # Opened in another order for each, so that the ids are not in the order of the rules.
        for number, customer in enumerate(people):
            Grant.objects.create(customer=customer.id, amount=3, expires_at=NOON + timedelta(days=1))
            Caller(customer, ["large", "small"][number % 2]).begin()
        for _ in range(times):
            callers = [Caller(one, name) for one in people for name in ("large", "small")] * rounds
            begun = at_once(*[caller.begin for caller in callers])
            assert set(kinds(begun)) <= {"NoneType", "Exhausted"}
            late = NOON + timedelta(minutes=5)
            jobs = [caller.step_down for caller in callers[::2]]
            jobs += [caller.end for caller in callers[1::2]] * 2
            jobs += [lambda c=c: quota.settle(c.turn) for c in callers[1::3]]
            turns = [caller.turn for caller in callers]
            jobs += [partial(quota.release, *turns), partial(quota.release, *reversed(turns))]
            jobs += [partial(quota.expire, late)] * 2
            assert set(kinds(at_once(*jobs))) <= {"NoneType", "Exhausted"}
            at_once(*[caller.end for caller in callers])
            quota.expire(late)
            at_rest()

    @pytest.mark.parametrize("times", [5, pytest.param(50, marks=pytest.mark.thorough)])
    def test_ledger_sums_to_the_windows_whoever_ends_a_use_first(
        self, site: Site, free: Tier, settings, times: int
    ):
        free.limits.update(amount=1000)
        settings.ANONYMOUS_PER_ADDRESS = Decimal(1000)
        visitors = [Customer.objects.create(site=site, address="a" * 32) for _ in range(4)]
        late = NOON + timedelta(minutes=5)
        for _ in range(times):
            uses = [hold(visitor) for visitor in visitors]
            settled = [lambda u=u: quota.settle(u) for u in uses[:2]]
            released = [lambda u=u: quota.release(u) for u in uses]
            again = [lambda u=u, v=v: hold(v, u) for u, v in zip(uses, visitors, strict=True)] * 2
            outcomes = at_once(*settled, *released, *again, *[partial(quota.expire, late)] * 4)
            assert set(kinds(outcomes)) == {"NoneType"}
            quota.expire(late)
            at_rest()
            assert window(f"address:{'a' * 32}", "messages").overrun <= len(Hold.objects.filter(late=True))

    def test_refusal_names_the_room_as_it_is(self, people: list[Customer]):
        """Whoever waited for the window is told what the ones before have left."""
        deployment("messages", 3)
        outcomes = at_once(*[lambda: hold(people[0])] * 10)
        refused = [one for one in outcomes if isinstance(one, Exhausted)]
        assert {(one.full[0].used, one.amount) for one in refused} == {(3, 3)}
