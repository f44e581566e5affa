"""The estimator: its arithmetic against prices known from elsewhere, and its page."""

import uuid
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Customer, UsageEntry, User
from accounts.prices import Overrides
from bot import estimator, offers
from bot.estimator import Load
from bot.models import Conversation, Model, Price, Provider, Turn
from bot.offers import Offered

MINI = Offered("small", "gpt-4o-mini", "OpenAI")
LARGE = Offered("large", "gpt-4o", "OpenAI")
OWN = Offered("large", "house-70b", "own", Overrides(Decimal(1), Decimal(0), Decimal(2), Decimal("0.001")))


def load(**values: object) -> Load:
    """1,000 questions a month of 100 tokens in and 300 out."""
    facts: dict[str, object] = {"conversations": Decimal(100), "questions": Decimal(1) / 3}
    return Load(**(facts | {"input_tokens": 100, "output_tokens": 300} | values))


class TestArithmetic:
    def test_a_thousand_calls_cost_what_is_known(self):
        [line] = estimator.estimate(load(), {"small": [MINI]}).lines
        assert line.cost.question * 1000 == Decimal("0.195")
        assert round(load().a_month, 9) == 1000
        assert round(line.cost.month, 9) == Decimal("0.195")

    def test_cached_tokens_have_their_own_price_and_each_call_its_fee(self):
        [line] = estimator.estimate(load(cached_percent=Decimal(40)), {"large": [OWN]}).lines
        # 60 fresh at $1, 40 cached at $0, 300 written at $2 a million, and $0.001.
        assert line.cost.question == Decimal("0.00166")
        assert line.rates.source == "own"

    def test_the_mix_is_small_models_share_and_the_class_above(self):
        found = estimator.estimate(load(small_percent=Decimal(75)), {"small": [MINI], "large": [LARGE, OWN]})
        small, large, other = (line.cost.question for line in found.lines)
        assert found.mixed.question == small * 3 / 4 + large / 4
        assert found.mixed_with == "large"
        assert [line.first for line in found.lines] == [True, True, False]
        assert other != large

    def test_one_class_alone_is_no_mix(self):
        assert estimator.estimate(load(), {"small": [MINI]}).mixed is None
        assert estimator.estimate(load(), {"large": [LARGE]}).mixed is None

    def test_a_limit_of_messages_caps_customers_and_the_month(self):
        told = load(conversations=Decimal(10), questions=Decimal(8), messages=5)
        [line] = estimator.estimate(told, {"small": [MINI]}).lines
        assert (told.a_month, told.a_month_capped) == (2400, 1500)
        assert line.cost.capped == 1500 * Decimal("0.000195")
        assert line.cost.customer == 150 * Decimal("0.000195")
        roomy = load(conversations=Decimal(10), questions=Decimal(8), messages=9)
        assert roomy.a_month_capped == 2400

    def test_models_without_a_price_are_named(self):
        half = Offered("large", "house-7b", "own", Overrides(input=Decimal(1)))
        found = estimator.estimate(load(), {"small": [MINI], "large": [half, Offered("large", "x", "own")]})
        assert found.unpriced == ["house-7b", "x"]
        assert found.mixed is None


@pytest.fixture
def models(db: None) -> None:
    openai = Provider.objects.create(name="OpenAI", base_url="https://api.openai.com/v1")
    own = Provider.objects.create(name="own", base_url="http://127.0.0.1:1/v1", enabled=False)
    Model.objects.create(provider=openai, name="gpt-4o", model_class="large", order=2)
    Model.objects.create(provider=openai, name="house-70b", model_class="large", order=1)
    Model.objects.create(provider=openai, name="gpt-4o-mini", model_class="small")
    Model.objects.create(provider=openai, name="o3", model_class="reasoning", enabled=False)
    Model.objects.create(provider=own, name="house-7b", model_class="small")
    Price.objects.create(provider=openai, model="gpt-4o-mini", output=Decimal("1.2"))


@pytest.mark.usefixtures("models")
def test_offers_are_the_enabled_models_in_their_order_at_prices_in_force():
    offered = offers.by_class()
    assert [*offered] == ["small", "large"]
    assert [one.model for one in offered["large"]] == ["house-70b", "gpt-4o"]
    [mini] = offered["small"]
    assert (mini.rates().output, mini.rates().source) == (Decimal("1.2"), "own")
    assert offers.for_replays()["large"].rates is None


@pytest.fixture
def ledger(alice: Customer) -> None:
    """Two conversations of the last two days: three turns and one, the last one of two calls."""
    now = timezone.now()
    conversations = [
        Conversation.objects.create(site=alice.site, customer=alice, closed_at=closed)
        for closed in (now, None)
    ]
    turns = [Turn.objects.create(conversation=conversations[n], state="done").id for n in (0, 0, 0, 1)]
    for number, turn in enumerate([*turns, turns[-1]]):
        entry = UsageEntry.objects.create(
            turn=turn, customer=alice.id, confidence="exact", input_tokens=1000, cached_tokens=250,
            output_tokens=80, model_class="small" if number < 3 else "large",
        )  # fmt: skip
        UsageEntry.objects.filter(pk=entry.pk).update(created_at=now - timedelta(hours=48 - number))


@pytest.mark.usefixtures("ledger")
def test_the_ledger_says_what_customers_ask():
    found = estimator.measured()
    assert (found.conversations, found.questions) == (1, 2)
    assert (found.input_tokens, found.output_tokens) == (1250, 100)
    assert (found.cached_percent, found.small_percent) == (25, 75)


def test_an_empty_ledger_says_nothing(db: None):
    assert estimator.measured() is None
    assert not estimator.has_figures()
    entry = UsageEntry.objects.create(
        turn=uuid.uuid4(), customer=uuid.uuid4(), confidence="exact", outcome="open"
    )
    assert not estimator.has_figures()
    UsageEntry.objects.filter(pk=entry.pk).update(outcome="ok")
    assert estimator.measured().questions == 1


class TestPage:
    @pytest.fixture
    def admin(self, client: Client, dana: User) -> Client:
        client.force_login(dana)
        return client

    def said(self, admin: Client, **asked: object) -> str:
        return " ".join(unescape(admin.get(reverse("admin:estimator"), asked).content.decode()).split())

    def asked(self, **values: object) -> dict[str, object]:
        facts = {"conversations": "60", "questions": "2", "input_tokens": "100", "output_tokens": "300"}
        return facts | {"cached_percent": "0", "small_percent": "50", "messages": ""} | values

    @pytest.mark.usefixtures("models")
    def test_estimates_what_is_asked(self, admin: Client):
        Price.objects.all().delete()
        said = self.said(admin, **self.asked(messages=3))
        # 3,600 questions at $0.000195.
        assert "$0.000195" in said
        assert "$0.70" in said
        assert "Nobody knows the price of house-70b" in said
        # 90 questions at most of one customer.
        assert "$0.02" in said

    @pytest.mark.usefixtures("models", "ledger")
    def test_begins_with_what_is_usual_or_measured(self, admin: Client):
        usual = self.said(admin)
        assert f'value="{estimator.usual().input_tokens}"' in usual
        assert "Fill in from your last 30 days" in usual
        assert 'value="1250"' in self.said(admin, measured=1)

    def test_what_makes_no_sense_is_marked(self, admin: Client):
        said = self.said(admin, **self.asked(cached_percent="140"))
        assert "At most 100." in said
        assert "Put right what is marked above" in said

    def test_without_models_there_is_a_way_to_add_one(self, admin: Client):
        assert "No model is set up and enabled" in self.said(admin)
        assert "Fill in from" not in self.said(admin)

    def test_agents_stay_out(self, client: Client, bob: User):
        client.force_login(bob)
        assert client.get(reverse("admin:estimator")).status_code == 302
