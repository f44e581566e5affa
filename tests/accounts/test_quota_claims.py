"""What a use holds when limits, grants and models change under it."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DataError, connection, transaction

from accounts import identity, limits, prices, quota, usage
from accounts.models import Customer, Deployment, Grant, Hold, Limit, Site, Tier, UsageEntry, Window
from accounts.quota import Exhausted, Most
from accounts.usage import Bound, CallCharge, Counted

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
CHEAP = prices.Overrides(Decimal("0.1"), Decimal("0.1"), Decimal("0.4"), Decimal(0))


class Caller:
    """A turn of alice's that makes calls under the limits that it read when it began."""

    def __init__(self, alice: Customer) -> None:
        self.alice, self.turn, self.paid = alice, uuid.uuid4(), CHEAP
        self.bound = Bound(limits.binding(alice, NOON), 60)

    def begin(self, model_class: str = "large", read: int = 100, written: int = 100) -> CallCharge:
        charge = CallCharge(
            call=uuid.uuid4(),
            turn=self.turn,
            attempt=1,
            customer=self.alice.id,
            site=self.alice.site.key,
            tier="free",
            provider="p",
            model=f"{model_class}-1",
            model_class=model_class,
            tokens=Counted(read, written),
            exact=True,
            terms=prices.Terms(self.paid),
        )
        most = Most(model_class, charge.model, read, written, charge.cost)
        usage.begin(charge, most, self.bound, NOON)
        return charge


@pytest.fixture
def caller(alice: Customer, free: Tier) -> Caller:
    """Alice has ten messages a day, one of them of the large class."""
    Limit.objects.create(tier=free, model_class="large", amount=1)
    return Caller(alice)


def everybody(metric: str, amount: object, **named: object) -> Limit:
    return Limit.objects.create(scope="deployment", metric=metric, amount=Decimal(amount), **named)


def give(alice: Customer, amount: object, metric: str = "messages", days: int = 1, **named: object) -> Grant:
    ends = NOON + timedelta(days=days)
    return Grant.objects.create(
        customer=alice.id, metric=metric, amount=Decimal(amount), expires_at=ends, **named
    )


def used() -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """(held, settled, overrun) by rule, of windows that have counted something."""
    rows = {w.rule: (w.held, w.settled, w.overrun) for w in Window.objects.all()}
    return {rule: counts for rule, counts in rows.items() if any(counts)}


class TestAnotherModel:
    """A turn goes on with another model than it began with."""

    def test_step_down_moves_the_message_and_counts_it_once(self, caller: Caller):
        caller.begin("large")
        caller.begin("small")
        assert used() == {"messages:any:day": (1, 0, 0)}
        quota.settle(caller.turn)
        assert used() == {"messages:any:day": (0, 1, 0)}

    def test_step_down_to_a_class_that_nothing_counts_gives_the_message_back(
        self, caller: Caller, free: Tier
    ):
        free.limits.filter(model_class="").delete()
        caller.begin("large")
        caller.begin("small")
        assert used() == {}

    def test_refused_step_down_leaves_what_was_held(self, alice: Customer, free: Tier):
        Limit.objects.create(tier=free, model_class="small", amount=0)
        caller = Caller(alice)
        caller.begin("large")
        with pytest.raises(Exhausted):
            caller.begin("small")
        quota.settle(caller.turn)
        assert used() == {"messages:any:day": (0, 1, 0)}

    def test_room_that_the_turn_itself_takes_is_free_for_it(self, caller: Caller, free: Tier):
        free.limits.filter(model_class="").update(amount=1)
        caller.begin("large")
        caller.begin("small")
        with pytest.raises(Exhausted):
            Caller(caller.alice).begin("small")

    def test_credit_that_the_turn_itself_takes_is_free_for_it(self, caller: Caller, free: Tier):
        free.limits.update(amount=0)
        grant = give(caller.alice, 1)
        caller.begin("large")
        caller.begin("small")
        grant.refresh_from_db()
        assert (grant.held, used()) == (1, {})

    def test_limits_of_the_same_kind_for_each_and_for_everybody_are_both_held(self, alice: Customer):
        caller = Caller(alice)
        caller.begin()
        everybody("messages", 5)
        caller.bound = replace(caller.bound, binding=limits.binding(alice, NOON))
        caller.begin()
        assert sorted(w.subject.split(":")[0] for w in Window.objects.filter(held=1)) == [
            "customer",
            "deployment",
        ]


class TestChangedLimit:
    """A limit changes after a turn has read it."""

    def test_amount_in_force_decides_and_is_told(self, caller: Caller, free: Tier):
        caller.begin("small")
        quota.settle(caller.turn)
        late = Caller(caller.alice)
        free.limits.filter(model_class="").update(amount=1)
        with pytest.raises(Exhausted) as refusal:
            late.begin("small")
        assert (refusal.value.amount, refusal.value.full[0].used) == (1, 1)

    def test_limit_that_is_gone_refuses_nothing_and_counts_nothing(self, caller: Caller, free: Tier):
        free.limits.update(amount=0)
        free.limits.all().delete()
        caller.begin()
        assert used() == {}

    def test_limit_that_counts_something_else_by_now_is_not_compared(self, caller: Caller, free: Tier):
        free.limits.filter(model_class="").update(metric="money", amount=0)
        caller.begin("small")
        assert used() == {}

    @pytest.mark.parametrize(
        "counts",
        [
            {},
            {"metric": "money", "period": "month"},
            {"model": "gpt-4o-mini", "period": "minute"},
            {"model_class": "reasoning", "period": "week", "week_starts": 6},
            {"metric": "total_tokens", "period": "first_use", "hours": 3},
        ],
    )
    def test_database_calls_what_is_counted_by_the_rule_s_key(
        self, alice: Customer, free: Tier, counts: dict[str, object]
    ):
        free.limits.all().delete()
        limit = Limit.objects.create(tier=free, amount=1, **counts)
        with connection.cursor() as cursor:
            cursor.execute("SELECT accounts_counted_by(l) FROM accounts_limit l WHERE id = %s", [limit.id])
            assert cursor.fetchone()[0] == limits.binding(alice, NOON).rules[0].key

    def test_of_two_limits_of_one_measure_the_least_decides(self, visitor: Customer, settings):
        settings.ANONYMOUS_PER_ADDRESS = Decimal(3)
        Limit.objects.create(scope="address", amount=2)
        for _ in range(2):
            quota.hold(uuid.uuid4(), visitor, seconds=60, now=NOON)
        with pytest.raises(Exhausted) as refusal:
            quota.hold(uuid.uuid4(), visitor, seconds=60, now=NOON)
        assert refusal.value.amount == 2
        assert Window.objects.get(subject__startswith="address").held == 2

    def test_the_addresses_of_one_site_are_counted_without_those_of_others(
        self, site: Site, other_site: Site, visitor: Customer
    ):
        limit = Limit.objects.create(scope="address", site=site, amount=2)
        elsewhere = identity.anonymous(other_site, "en", visitor.address)
        for customer in (elsewhere, elsewhere, elsewhere, visitor, visitor):
            quota.hold(uuid.uuid4(), customer, seconds=60, now=NOON)
        with pytest.raises(Exhausted) as refusal:
            quota.hold(uuid.uuid4(), visitor, seconds=60, now=NOON)
        assert [one.rule.limit for one in refusal.value.full] == [limit.id]
        windows = Window.objects.filter(subject__startswith="address")
        assert dict(windows.values_list("subject", "held")) == {
            f"address:{visitor.address}": 5,
            f"address:{site.id}:{visitor.address}": 2,
        }


class TestGrants:
    def test_grant_pays_once_what_several_windows_of_a_metric_lack(self, alice: Customer, free: Tier):
        free.limits.update(metric="total_tokens", amount=40)
        Limit.objects.create(tier=free, metric="total_tokens", model_class="large", period="hour", amount=150)
        everybody("total_tokens", 1000)
        first, second = give(alice, 100, "total_tokens"), give(alice, 200, "total_tokens", days=2)
        call = Caller(alice).begin(read=100, written=100)
        held = {g.id: g.held for g in Grant.objects.all()}
        assert held == {first.id: 100, second.id: 60}  # the day lacks 160 of 200
        shared = Window.objects.get(subject="deployment")
        own = Window.objects.filter(subject__startswith="customer:")
        assert (shared.held, [w.held for w in own]) == (200, [40, 40])
        usage.end(replace(call, tokens=Counted(90, 20)))
        settled = {g.id: (g.held, g.settled) for g in Grant.objects.all()}
        assert settled == {first.id: (0, 70), second.id: (0, 0)}  # what ends soonest pays first
        assert [w.settled for w in own.all()] == [40, 40]
        assert Window.objects.get(subject="deployment").settled == 110

    def test_grant_of_a_class_pays_for_that_class_where_all_are_counted(self, alice: Customer, free: Tier):
        free.limits.update(amount=0)
        give(alice, 1, model_class="large")
        with pytest.raises(Exhausted):
            Caller(alice).begin("small")
        Caller(alice).begin("large")

    def test_grant_does_not_pay_for_everybody(self, alice: Customer):
        everybody("messages", 0)
        give(alice, 1)
        with pytest.raises(Exhausted):
            Caller(alice).begin()

    def test_more_than_window_and_grants_held_is_the_window_s_overrun(self, alice: Customer, free: Tier):
        free.limits.update(metric="total_tokens", amount=150)
        grant = give(alice, 100, "total_tokens")
        call = Caller(alice).begin(read=100, written=100)
        usage.end(replace(call, tokens=Counted(100, 250)))
        grant.refresh_from_db()
        assert (grant.settled, grant.overrun) == (50, 0)
        assert used() == {"total_tokens:any:day": (0, 300, 150)}

    def test_parts_of_a_cost_come_to_the_entry_to_the_last_digit(self, alice: Customer, free: Tier):
        free.limits.update(metric="money", amount=Decimal("0.000001"))
        grant = give(alice, "0.001", "money")
        odd = prices.Overrides(Decimal("0.123456789012"), None, Decimal("0.777777777777"))
        call = replace(Caller(alice).begin(), tokens=Counted(77, 33), terms=prices.Terms(odd))
        usage.end(call)
        grant.refresh_from_db()
        entry = UsageEntry.objects.get()
        assert len(str(call.cost)) > len(str(entry.cost))
        assert grant.settled + Window.objects.get().settled == entry.cost

    def test_lost_call_that_comes_back_is_put_right_in_grants_too(self, alice: Customer, free: Tier):
        free.limits.update(metric="total_tokens", amount=150)
        grant = give(alice, 100, "total_tokens")
        caller = Caller(alice)
        call = caller.begin(read=100, written=100)
        usage.close_lost(caller.turn, 2, 90)
        assert used() == {"total_tokens:any:day": (0, 150, 0)}
        usage.end(replace(call, tokens=Counted(100, 10)))
        grant.refresh_from_db()
        assert (grant.settled, used()) == (0, {"total_tokens:any:day": (0, 110, 0)})


class TestLate:
    def test_lost_call_that_comes_back_after_expiry_stays_overrun(self, alice: Customer, free: Tier):
        free.limits.update(metric="total_tokens", amount=200)
        caller = Caller(alice)
        call = caller.begin(read=100, written=100)
        quota.expire(NOON + timedelta(minutes=5))
        usage.close_lost(caller.turn, 2, 20)
        assert used() == {"total_tokens:any:day": (0, 120, 120)}
        usage.end(replace(call, tokens=Counted(100, 50)))
        assert used() == {"total_tokens:any:day": (0, 150, 150)}

    def test_call_whose_hold_an_admin_gave_back_counts_when_it_ends(self, alice: Customer, free: Tier):
        free.limits.update(metric="total_tokens", amount=200)
        call = Caller(alice).begin(read=100, written=100)
        quota.release(call.call)
        assert used() == {}
        usage.end(call)
        assert used() == {"total_tokens:any:day": (0, 200, 200)}


class TestEdges:
    def test_call_that_costs_nothing_is_held_where_nothing_is_left(self, alice: Customer):
        limit = everybody("money", "0.00002")
        call = Caller(alice).begin(read=100, written=0)
        usage.end(replace(call, tokens=Counted(900, 0)))
        Limit.objects.filter(id=limit.id).update(amount=0)
        Caller(alice).begin(read=0, written=0)
        with pytest.raises(Exhausted):
            Caller(alice).begin(read=1, written=0)

    def test_refusal_before_a_first_use_names_no_end(self, alice: Customer, free: Tier):
        free.limits.update(period="first_use", hours=3, amount=0)
        with pytest.raises(Exhausted) as refusal:
            Caller(alice).begin()
        assert refusal.value.resets_at is None

    def test_window_begins_with_its_first_use_and_not_with_a_refusal(self, alice: Customer, free: Tier):
        free.limits.update(period="first_use", hours=3, amount=0)
        with pytest.raises(Exhausted):
            quota.hold(uuid.uuid4(), alice, seconds=60, now=NOON)
        free.limits.update(amount=1)
        later = NOON + timedelta(hours=2)
        quota.hold(uuid.uuid4(), alice, seconds=60, now=later)
        window = Window.objects.get()
        assert (window.starts_at, window.ends_at) == (later, later + timedelta(hours=3))

    def test_window_from_first_use_is_followed_by_another(self, alice: Customer, free: Tier):
        free.limits.update(period="first_use", hours=3, amount=1)
        quota.settle(hold(alice, NOON))
        with pytest.raises(Exhausted) as refusal:
            hold(alice, NOON + timedelta(hours=2, minutes=59))
        assert refusal.value.resets_at == NOON + timedelta(hours=3)
        hold(alice, NOON + timedelta(hours=3))
        assert [*Window.objects.order_by("number").values_list("number", flat=True)] == [1, 2]

    def test_amount_beyond_the_books_is_refused_whole(self, alice: Customer):
        everybody("money", 1)
        caller = Caller(alice)
        caller.paid = replace(CHEAP, call=Decimal(10) ** 17)
        with pytest.raises(DataError), transaction.atomic():
            caller.begin()
        assert not Hold.objects.exists()
        assert not UsageEntry.objects.exists()

    def test_nothing_begins_once_spending_is_stopped(self, alice: Customer):
        caller = Caller(alice)
        call = caller.begin()
        Deployment.objects.create(id=1, stopped_at=NOON)
        with pytest.raises(quota.SpendingStopped):
            caller.begin()
        usage.end(call)
        quota.settle(caller.turn)
        assert used() == {"messages:any:day": (0, 1, 0)}

    def test_call_that_has_ended_holds_nothing_again(self, alice: Customer):
        everybody("total_tokens", 1000)
        caller = Caller(alice)
        call = caller.begin()
        usage.end(call)
        usage.begin(call, Most("large", "large-1", 100, 100, None), caller.bound, NOON)
        assert used()["total_tokens:any:day"] == (0, 200, 0)


def hold(customer: Customer, now: datetime) -> uuid.UUID:
    use = uuid.uuid4()
    quota.hold(use, customer, seconds=60, now=now)
    return use
