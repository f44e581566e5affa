import uuid
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from accounts import allowance, identity, limits, quota, usage
from accounts.models import Customer, Hold, Limit, Site, Tier, Window
from accounts.quota import Exhausted, Most
from accounts.usage import Bound, CallCharge, Counted

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 30, tzinfo=UTC)


def hold(
    customer: Customer, use: uuid.UUID | None = None, now: datetime = NOON, seconds: float = 60
) -> uuid.UUID:
    use = use or uuid.uuid4()
    quota.hold(use, customer, seconds=seconds, now=now)
    return use


def counts(subject: str = "customer") -> list[tuple[int, int, int]]:
    """(held, settled, overrun) of each window of customers or addresses, oldest first."""
    windows = Window.objects.filter(subject__startswith=subject).order_by("starts_at")
    return [(int(w.held), int(w.settled), int(w.overrun)) for w in windows]


@pytest.fixture
def one_a_day(free: Tier) -> Tier:
    free.limits.update(amount=1)
    return free


@pytest.mark.django_db
class TestHold:
    def test_hold_reserves_and_settle_uses(self, alice: Customer):
        use = hold(alice)
        assert counts() == [(1, 0, 0)]
        quota.settle(use)
        assert counts() == [(0, 1, 0)]
        window = Window.objects.get()
        assert (window.starts_at, window.ends_at) == (MIDNIGHT - timedelta(days=1), MIDNIGHT)
        assert window.subject == f"customer:{alice.id}"

    def test_hold_is_refused_when_the_day_is_used_up(self, alice: Customer, one_a_day: Tier):
        quota.settle(hold(alice))
        with pytest.raises(Exhausted) as refusal:
            hold(alice)
        assert (refusal.value.label, refusal.value.amount) == ("messages today", 1)
        assert refusal.value.resets_at == MIDNIGHT
        assert counts() == [(0, 1, 0)]
        assert Hold.objects.count() == 1

    def test_hold_is_refused_in_the_language_of_the_customer(self, alice: Customer, one_a_day: Tier):
        alice.locale = "zh"
        hold(alice)
        with pytest.raises(Exhausted, match="今日消息"):
            hold(alice)

    def test_hold_counts_what_is_only_held(self, alice: Customer, one_a_day: Tier):
        first = hold(alice)
        with pytest.raises(Exhausted):
            hold(alice)
        quota.release(first)
        assert hold(alice)

    def test_hold_of_a_held_use_changes_nothing(self, alice: Customer, one_a_day: Tier):
        use = hold(alice)
        before = Hold.objects.values().get()
        hold(alice, use)
        assert (counts(), Hold.objects.values().get()) == ([(1, 0, 0)], before)

    def test_hold_of_a_settled_use_is_paid_already(self, alice: Customer, one_a_day: Tier):
        use = hold(alice)
        quota.settle(use)
        hold(alice, use)
        assert counts() == [(0, 1, 0)]

    def test_hold_of_a_released_use_needs_room_again(self, alice: Customer, one_a_day: Tier):
        use = hold(alice)
        quota.release(use)
        hold(alice, use)
        assert counts() == [(1, 0, 0)]
        quota.release(use)
        hold(alice)
        with pytest.raises(Exhausted):
            hold(alice, use)

    def test_hold_is_never_refused_without_a_limit(self, site: Site, alice: Customer, vip: Tier):
        alice.tier = vip
        for _ in range(3):
            quota.settle(hold(alice))
        assert Window.objects.count() == 0

    def test_hold_is_refused_when_the_limit_is_none(self, alice: Customer, free: Tier):
        free.limits.update(amount=0)
        with pytest.raises(Exhausted):
            hold(alice)

    def test_hold_follows_the_amount_and_the_tier_in_force(
        self, alice: Customer, plus: Tier, one_a_day: Tier
    ):
        hold(alice)
        with pytest.raises(Exhausted):
            hold(alice)
        Limit.objects.filter(tier=one_a_day).update(amount=2)
        hold(alice)
        Limit.objects.filter(tier=one_a_day).update(amount=1)
        with pytest.raises(Exhausted):
            hold(alice)
        alice.tier = plus
        hold(alice)

    def test_hold_opens_a_new_window_at_midnight(self, alice: Customer, one_a_day: Tier):
        first = hold(alice, now=MIDNIGHT - timedelta(microseconds=1))
        hold(alice, now=MIDNIGHT)
        quota.settle(first)
        assert counts() == [(0, 1, 0), (1, 0, 0)]

    def test_hold_counts_days_in_utc_wherever_the_clock_is(self, alice: Customer, one_a_day: Tier):
        hold(alice, now=MIDNIGHT)
        with pytest.raises(Exhausted):
            hold(alice, now=datetime(2026, 3, 31, 7, 59, tzinfo=timezone(timedelta(hours=8))))

    def test_hold_of_one_customer_is_not_anothers(self, site: Site, alice: Customer, one_a_day: Tier):
        hold(alice)
        hold(identity.known_as(site, "carol"))
        with pytest.raises(Exhausted):
            hold(alice)

    def test_hold_takes_two_statements(self, visitor: Customer, django_assert_num_queries):
        hold(visitor)
        with django_assert_num_queries(2):
            use = hold(visitor)
        with django_assert_num_queries(1):
            quota.settle(use)


@pytest.mark.django_db
class TestNetworkShare:
    def test_hold_is_refused_when_the_network_used_its_share(self, site: Site, visitor: Customer, settings):
        settings.ANONYMOUS_PER_ADDRESS = Decimal(2)
        neighbour = Customer.objects.create(site=site, address=visitor.address)
        hold(visitor)
        hold(neighbour)
        with pytest.raises(Exhausted) as refusal:
            hold(visitor)
        assert (refusal.value.label, refusal.value.amount) == ("messages today from your network", 2)
        assert counts() == [(1, 0, 0), (1, 0, 0)]
        assert counts("address") == [(2, 0, 0)]
        hold(Customer.objects.create(site=site, address="b" * 32))

    def test_hold_takes_nothing_from_the_network_when_the_visitor_has_used_up(
        self, visitor: Customer, one_a_day: Tier
    ):
        quota.settle(hold(visitor))
        with pytest.raises(Exhausted, match=r"^messages today$"):
            hold(visitor)
        assert counts("address") == [(0, 1, 0)]

    def test_hold_of_a_verified_customer_is_not_the_networks(self, visitor: Customer, settings):
        settings.ANONYMOUS_PER_ADDRESS = Decimal(0)
        with pytest.raises(Exhausted):
            hold(visitor)
        visitor.sub_digest = identity.sub_digest("alice")
        hold(visitor)

    def test_settle_and_release_reach_both_windows(self, visitor: Customer):
        quota.settle(hold(visitor))
        quota.release(hold(visitor))
        assert counts() == counts("address") == [(0, 1, 0)]


@pytest.mark.django_db
class TestEnd:
    def test_settle_counts_once(self, alice: Customer):
        use = hold(alice)
        for _ in range(2):
            quota.settle(use)
        quota.release(use)
        assert counts() == [(0, 1, 0)]
        assert Hold.objects.get().state == "settled"

    def test_release_gives_back_once(self, alice: Customer):
        hold(alice)
        use = hold(alice)
        for _ in range(2):
            quota.release(use)
        quota.settle(use)
        assert counts() == [(1, 0, 0)]

    def test_settle_and_release_of_an_unknown_use_change_nothing(self, alice: Customer):
        hold(alice)
        quota.settle(uuid.uuid4())
        quota.release(uuid.uuid4())
        assert counts() == [(1, 0, 0)]

    def test_expire_gives_back_what_was_held_too_long(self, alice: Customer):
        hold(alice, seconds=30)
        kept = hold(alice, seconds=90)
        assert quota.expire(NOON + timedelta(seconds=60)) == 1
        assert quota.expire(NOON + timedelta(seconds=60)) == 0
        assert counts() == [(1, 0, 0)]
        assert Hold.objects.get(state="held").use == kept

    def test_expire_leaves_what_has_ended(self, alice: Customer):
        quota.settle(hold(alice))
        quota.release(hold(alice))
        assert quota.expire(NOON + timedelta(days=1)) == 0
        assert counts() == [(0, 1, 0)]

    def test_settle_after_expiry_counts_as_overrun(self, alice: Customer, one_a_day: Tier):
        late = hold(alice)
        quota.expire(NOON + timedelta(minutes=5))
        quota.settle(hold(alice))
        for _ in range(2):
            quota.settle(late)
        assert counts() == [(0, 2, 1)]

    def test_release_after_expiry_changes_nothing(self, alice: Customer):
        use = hold(alice)
        quota.expire(NOON + timedelta(minutes=5))
        quota.release(use)
        assert counts() == [(0, 0, 0)]
        quota.settle(use)
        assert counts() == [(0, 1, 1)]

    def test_use_held_again_after_midnight_counts_once(self, alice: Customer):
        use = hold(alice, now=MIDNIGHT - timedelta(seconds=90))
        quota.expire(MIDNIGHT)
        hold(alice, use, now=MIDNIGHT + timedelta(seconds=1))
        for _ in range(2):
            quota.settle(use)
        assert counts() == [(0, 0, 0), (0, 1, 0)]

    def test_use_held_across_midnight_counts_in_its_day(self, alice: Customer):
        use = hold(alice, now=MIDNIGHT - timedelta(seconds=5))
        hold(alice, use, now=MIDNIGHT + timedelta(seconds=5))
        quota.settle(use)
        assert counts() == [(0, 1, 0)]


@pytest.mark.django_db
class TestAllowance:
    def test_allowance_counts_held_and_settled(self, alice: Customer, django_assert_num_queries):
        quota.settle(hold(alice))
        hold(alice)
        with django_assert_num_queries(2):
            left = allowance.of(alice, NOON)
        assert left.as_json() == {
            "limits": [
                {
                    "label": "messages today",
                    "used": 2,
                    "amount": 10,
                    "resets_at": "2026-03-30T00:00:00+00:00",
                }
            ],
            "exhausted": False,
        }

    def test_allowance_is_whole_before_the_first_message(self, alice: Customer):
        limit = allowance.of(alice, NOON).limits[0]
        assert (limit.used, limit.amount) == (0, 10)
        assert Window.objects.count() == 0

    def test_allowance_is_exhausted_when_nothing_is_left(self, alice: Customer, one_a_day: Tier):
        hold(alice)
        assert allowance.of(alice, NOON).exhausted
        assert not allowance.of(alice, MIDNIGHT).exhausted

    def test_allowance_without_a_limit_is_never_exhausted(self, alice: Customer, vip: Tier):
        alice.tier = vip
        assert allowance.of(alice, NOON) == allowance.Allowance([], exhausted=False)

    def test_allowance_of_a_visitor_ends_with_the_networks_share(
        self, site: Site, visitor: Customer, settings
    ):
        settings.ANONYMOUS_PER_ADDRESS = Decimal(1)
        hold(Customer.objects.create(site=site, address=visitor.address))
        left = allowance.of(visitor, NOON)
        assert left.exhausted
        assert [(limit.used, limit.amount) for limit in left.limits] == [(0, 10)]

    def test_allowance_is_exhausted_when_one_more_use_of_usual_size_finds_no_room(self, alice: Customer):
        Limit.objects.create(scope="deployment", metric="money", period="month", amount=Decimal("0.01"))
        assert not allowance.of(alice, NOON).exhausted
        charge = CallCharge(
            call=uuid.uuid4(), turn=uuid.uuid4(), attempt=1, customer=alice.id, site="demo", tier="free",
            provider="p", model="gpt-4o-mini", model_class="small", tokens=Counted(10, 10), exact=True,
        )  # fmt: skip
        most = Most("small", charge.model, 0, 0, Decimal("0.006"))
        usage.begin(charge, most, Bound(limits.binding(alice, NOON)), now=NOON)
        assert allowance.of(alice, NOON).exhausted
        usage.end(charge)
        assert not allowance.of(alice, NOON).exhausted

    def test_allowance_speaks_the_language_of_the_customer(self, alice: Customer):
        alice.locale = "zh"
        assert allowance.of(alice, NOON).limits[0].label == "今日消息"
