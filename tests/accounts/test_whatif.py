import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts import books, past_turns, whatif
from accounts.books import Book
from accounts.models import Customer, Deployment, Limit, Site, Tier, UsageEntry
from accounts.past_turns import TurnUse
from accounts.prices import Rates
from accounts.whatif import Offer, Outcome

ALICE, CAROL = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
MONDAY = datetime(2026, 6, 1, 10, tzinfo=UTC)
CENT = Decimal("0.01")


def turn(minutes: float = 0, customer: str = ALICE, model_class: str = "large", **values: object) -> TurnUse:
    facts: dict[str, object] = {
        "customer": customer, "site": "demo", "tier": "plus", "address": "", "model_class": model_class,
        "model": f"{model_class}-1", "input": 1000, "cached_input": 0, "output": 100, "reasoning": 0,
        "cost": CENT, "calls": 1, "answered": True, "began": MONDAY.timestamp() + minutes * 60,
    }  # fmt: skip
    return TurnUse(**(facts | values))


def cheap(model_class: str) -> Offer | None:
    """Each class has a model at a dollar a million tokens read and nothing else: 0.001 for a turn."""
    return Offer(f"{model_class}-1", Rates(Decimal(1), Decimal(1), Decimal(0), Decimal(0), "own"))


PLUS = Tier(pk=7, slug="plus", classes=["large", "small"])


def limit(amount: object = 1, **values: object) -> Limit:
    return Limit(amount=Decimal(str(amount)), **({"tier": PLUS} | values))


def outcome(turns: list[TurnUse], *limits: Limit, zone: str = "UTC", **values: object) -> Outcome:
    [told] = whatif.replay(turns, [Book(list(limits), {"plus": PLUS.classes}, zone)], cheap, **values)
    return told


def every_hour(count: int, **values: object) -> list[TurnUse]:
    return [turn(60 * n, **values) for n in range(count)]


class TestReplay:
    def test_what_no_limit_binds_stays_as_it_was(self):
        told = outcome(every_hour(5))
        assert (told.turns, told.cost, told.spent) == (5, 5 * CENT, 5 * CENT)
        assert told.total == whatif.Tally()

    def test_beyond_the_amount_turns_are_refused_and_cost_nothing(self):
        told = outcome([*every_hour(5), turn(300, CAROL)], limit(2, when_full="degrade"))
        assert told.total == whatif.Tally(refused=3, saved=3 * CENT)
        assert set(told.by_customer) == {ALICE}
        assert told.by_limit[0].refused == 3
        assert told.by_day[MONDAY.date()].refused == 3

    def test_the_next_cheaper_class_answers_at_its_own_price(self):
        told = outcome(every_hour(3), limit(1, model_class="large", when_full="next"))
        assert told.total == whatif.Tally(stepped=2, saved=2 * (CENT - Decimal("0.001")))
        assert told.spent == CENT + 2 * Decimal("0.001")

    def test_whoever_steps_down_fills_the_windows_of_the_class_below(self):
        down = limit(1, model_class="large", when_full="next")
        told = outcome(every_hour(4), down, limit(2, model_class="small"))
        assert (told.total.stepped, told.total.refused) == (2, 1)
        # Refused by the limit of the small class, not by the one that had stepped down.
        assert (told.by_limit[0].stepped, told.by_limit[1].refused) == (2, 1)

    def test_nobody_steps_down_to_a_class_that_the_tier_or_the_deployment_lacks(self):
        reasoning = turn(model_class="reasoning")
        full = limit(0, model_class="reasoning", when_full="next")
        assert outcome([reasoning], full).total.stepped == 1
        only = Book([full], {"plus": ["reasoning"]})
        assert whatif.replay([reasoning], [only], cheap)[0].total.refused == 1
        nothing = whatif.replay([reasoning], [Book([full], {"plus": ["reasoning", "small"]})], lambda _: None)
        assert nothing[0].total.refused == 1

    def test_a_class_that_the_draft_no_longer_names_steps_down(self):
        told = whatif.replay([turn()], [Book([], {"plus": ["small"]})], cheap)[0]
        assert told.by_limit[whatif.CLASS_NOT_ALLOWED].stepped == 1

    def test_windows_begin_anew_on_the_clocks_of_the_time_zone(self):
        # 10:00 to 18:00 UTC; on Auckland's clocks a new day begins at 12:00 UTC.
        assert outcome(every_hour(9), limit(2)).total.refused == 7
        assert outcome(every_hour(9), limit(2), zone="Pacific/Auckland").total.refused == 5

    def test_windows_from_first_use_end_so_many_hours_later(self):
        told = outcome(every_hour(7), limit(2, period="first_use", hours=3))
        # 10, 11 | 13, 14 | 16: those at 12 and 15 find it full.
        assert told.total.refused == 2
        both = outcome(every_hour(2, customer=CAROL), limit(1, period="first_use", hours=3))
        assert both.total.refused == 1

    @pytest.mark.parametrize(
        ("metric", "amount"),
        [("input_tokens", 2999), ("output_tokens", 299), ("total_tokens", 3299), ("money", "0.029")],
    )
    def test_tokens_and_money_are_counted_by_what_was_used(self, metric: str, amount: object):
        assert outcome(every_hour(3), limit(amount, metric=metric)).total.refused == 1
        assert outcome(every_hour(3), limit(Decimal(amount) * 2, metric=metric)).total.refused == 0

    def test_whoever_was_not_answered_used_no_message_but_cost_money(self):
        failed = [turn(n, answered=False, output=0) for n in range(3)]
        assert outcome([*failed, turn(9)], limit(1)).total == whatif.Tally()
        told = outcome([*failed, turn(9)], limit("0.02", metric="money"))
        assert told.total == whatif.Tally(refused=1, saved=2 * CENT)
        assert told.turns == 1

    def test_each_scope_counts_its_own(self):
        site = Site(key="demo")
        turns = [turn(0), turn(1, CAROL), turn(2, CAROL, site="other"), turn(3, tier="vip", customer=CAROL)]
        refused = {
            scope: outcome(turns, limit(1, scope=scope, **owner)).total.refused
            for scope, owner in {
                "customer": {},
                "tier": {},
                "site": {"tier": None, "site": site},
                "deployment": {"tier": None},
            }.items()
        }
        # By customer carol's second turn of the tier, by tier two of three, by site two of three on it.
        assert refused == {"customer": 1, "tier": 2, "site": 2, "deployment": 3}

    def test_an_address_counts_the_anonymous_alone(self):
        per_address = limit(1, scope="address", tier=None)
        anonymous = [turn(0, address="a"), turn(1, CAROL, address="a"), turn(2, CAROL, address="b")]
        assert outcome(anonymous, per_address).total.refused == 1
        assert outcome(every_hour(3), per_address).total.refused == 0

    def test_an_address_at_one_site_is_counted_without_its_visits_to_others(self):
        here = limit(1, scope="address", tier=None, site=Site(key="demo"))
        everywhere = limit(2, scope="address", tier=None)
        turns = [turn(n, address="a", site="other" if n < 2 else "demo") for n in range(4)]
        assert outcome(turns, here).total.refused == 1
        told = outcome(turns, here, everywhere)
        assert (told.total.refused, told.by_limit[1].refused) == (2, 2)

    def test_limits_of_the_same_measure_share_a_window_and_the_least_decides(self):
        vip = Tier(pk=8, slug="vip")
        turns = [turn(0), turn(1, tier="vip"), turn(2, tier="vip")]
        told = outcome(turns, limit(2), limit(2, tier=vip))
        # What was used in the one tier is used in the other.
        assert told.total.refused == 1
        assert outcome(every_hour(3), limit(2), limit(1, when_full="text")).total.refused == 2

    def test_limits_of_one_model_count_that_model(self):
        one = limit(0, model="large-1")
        assert outcome([turn(), turn(model="large-2")], one).total.refused == 1

    def test_actions_are_not_replayed(self):
        assert outcome(every_hour(3), limit(0, metric="actions")).total == whatif.Tally()

    def test_turns_before_fill_windows_and_are_told_in_no_figure(self):
        told = outcome(every_hour(4), limit(2), since=MONDAY + timedelta(hours=3))
        assert (told.turns, told.cost, told.total.refused) == (1, CENT, 1)

    def test_a_model_of_unknown_price_answers_nobody_whose_money_is_limited(self):
        unpriced = [limit(0, model_class="large", when_full="next")]
        book = Book(unpriced, {"plus": ["large", "small"]})
        [told] = whatif.replay([turn()], [book], lambda name: Offer("local", None))
        assert (told.total.stepped, told.unpriced, told.total.saved) == (1, 1, 0)
        bound = Book([*unpriced, limit(9, metric="money")], book.classes)
        [told] = whatif.replay([turn()], [bound], lambda name: Offer("local", None))
        assert told.total.refused == 1

    def test_each_call_has_its_fee(self):
        offer = Offer("small-1", Rates(Decimal(1), Decimal(1), Decimal(0), Decimal("0.5"), "own"))
        assert offer.cost(turn(calls=3)) == Decimal("1.501")


def test_a_draft_takes_the_place_of_its_tiers_limits_alone():
    deployment = Limit(scope="deployment", amount=Decimal(1))
    book = Book([limit(5), deployment], {"plus": ["large"], "free": ["small"]})
    draft = Limit(amount=Decimal(3))
    drafted = book.drafted(Tier(pk=7, slug="plus", classes=["small"]), [draft])
    assert drafted.limits == [deployment, draft]
    assert drafted.classes == {"plus": ["small"], "free": ["small"]}
    assert (draft.tier.slug, book.limits[0].amount, book.classes["plus"]) == ("plus", 5, ["large"])


def test_the_books_in_force_are_those_saved(plus: Tier):
    Deployment.objects.create(id=1, time_zone="Europe/Berlin")
    book = books.in_force()
    assert [limit.amount for limit in book.limits if limit.tier == plus] == [100]
    assert (book.zone, book.classes["plus"]) == ("Europe/Berlin", ["small"])
    assert book.limits[-1].scope == "address"


@pytest.fixture
def entries(alice: Customer) -> Callable[..., None]:
    def add(turn: uuid.UUID, customer: uuid.UUID = alice.id, hours: float = 1, **values: object) -> None:
        facts: dict[str, object] = {
            "site": "demo",
            "tier": "free",
            "model_class": "small",
            "confidence": "exact",
        }
        entry = UsageEntry.objects.create(turn=turn, customer=customer, **(facts | values))
        UsageEntry.objects.filter(pk=entry.pk).update(created_at=timezone.now() - timedelta(hours=hours))

    return add


class TestPastTurns:
    def test_calls_of_a_turn_are_one(self, entries, alice: Customer):
        first, second = uuid.uuid4(), uuid.uuid4()
        entries(second, hours=1, input_tokens=5, output_tokens=1, cost=None)
        entries(first, hours=3, input_tokens=100, cached_tokens=50, output_tokens=9, cost=Decimal("0.1"))
        entries(first, hours=2, input_tokens=200, output_tokens=1, cost=Decimal("0.2"), model="gpt-4o-mini")
        one, two = past_turns.since(timezone.now() - timedelta(days=1))
        assert (one.customer, one.calls, one.cost) == (str(alice.id), 2, Decimal("0.3"))
        assert (one.input, one.cached_input, one.output) == (300, 50, 10)
        assert (one.model, one.tier, one.site, one.address) == ("gpt-4o-mini", "free", "demo", "")
        assert (two.input, two.cost) == (5, None)
        assert one.began < two.began

    @pytest.mark.parametrize(
        ("outcome", "output", "answered"),
        [
            ("ok", 5, True),
            ("stopped", 5, True),
            ("ok", 0, False),
            ("rate_limited", 5, False),
            ("lost", 5, False),
        ],
    )
    def test_a_turn_is_answered_by_a_last_call_that_wrote(
        self, entries, outcome: str, output: int, answered: bool
    ):
        entries(turn := uuid.uuid4(), outcome="ok", output_tokens=3, hours=2)
        entries(turn, outcome=outcome, output_tokens=output)
        [one] = past_turns.since(timezone.now() - timedelta(days=1))
        assert one.answered is answered

    def test_older_turns_and_calls_under_way_are_left_out(self, entries):
        entries(uuid.uuid4(), hours=30)
        entries(uuid.uuid4(), outcome="open")
        assert list(past_turns.since(timezone.now() - timedelta(days=1))) == []

    def test_the_newest_are_read_when_there_are_too_many(self, entries):
        for hours in (3, 1, 2):
            entries(uuid.uuid4(), hours=hours, input_tokens=hours)
        assert [one.input for one in past_turns.since(timezone.now() - timedelta(days=1), most=2)] == [2, 1]

    def test_the_anonymous_have_an_address(self, entries, site: Site):
        visitor = Customer.objects.create(site=site, address="f00d")
        entries(uuid.uuid4(), customer=visitor.id)
        entries(uuid.uuid4(), customer=uuid.uuid4(), hours=0.5)
        assert [one.address for one in past_turns.since(timezone.now() - timedelta(days=1))] == ["f00d", ""]
