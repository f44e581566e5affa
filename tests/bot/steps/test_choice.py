"""Which class answers: the tier's classes strictly, prices where money counts, less near a limit."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import limits
from accounts.models import Customer, Grant, Limit, Tier, Window
from bot.llm.errors import UnknownModel
from bot.models import Conversation, Model, Price, Provider, Turn
from bot.steps import choice
from bot.steps.choice import Choice
from bot.steps.work import Work
from bot.tools import registry
from demo import tools

pytestmark = pytest.mark.django_db

EASY, HARD = "Do you ship to Canada?", "Where is my order HP-10423?"
HARDEST = "Please think hard about this: which tent is best?"
ALL = ["large", "reasoning", "small"]

Choose = Callable[..., Choice]


@pytest.fixture(autouse=True)
def shop_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "offered", lambda: {tool.name: tool for tool in tools.TOOLS})


@pytest.fixture
def work(alice: Customer) -> Work:
    conversation = Conversation.objects.create(site=alice.site, customer=alice)
    turn = Turn.objects.create(conversation=conversation, state=Turn.State.RUNNING, attempt=1)
    return Work(turn, 1, kept=None)  # type: ignore[arg-type]


@pytest.fixture
def tier(free: Tier) -> Tier:
    """The tier of alice: no limits, the cheapest of all classes."""
    Limit.objects.all().delete()
    free.pick, free.classes = Tier.Pick.CHEAPEST, ALL
    free.save()
    return free


@pytest.fixture
def models(db: None) -> dict[str, Model]:
    """One model in each class, of a price that everybody knows."""
    provider = Provider.objects.create(name="one", base_url="http://one.example.com")
    names = {"small": "gpt-4o-mini", "large": "gpt-4o", "reasoning": "o3"}
    return {
        name: Model.objects.create(provider=provider, name=model, model_class=name)
        for name, model in names.items()
    }


@pytest.fixture
def choose(work: Work, tier: Tier, models: dict[str, Model]) -> Choose:
    """What is chosen for a question of alice's, by her tier and limits as they are now."""

    def chosen(question: str = EASY, without: tuple[str, ...] = (), **changes: Any) -> Choice:
        customer = work.conversation.customer
        for name, value in changes.items():
            setattr(tier, name, value)
        tier.save()
        customer.site.default_tier = tier
        work.question = question
        return choice.choose(work, limits.binding(customer), frozenset(without))

    return chosen


def limit(tier: Tier, amount: float, used: float = 0, **fields: Any) -> None:
    """A limit of which alice, or who counts with her, has used so much."""
    whose = {} if fields.get("scope") == "deployment" else {"tier": tier}
    made = Limit.objects.create(**whose, amount=Decimal(str(amount)), **{"when_full": "next", **fields})
    if used:
        customer = Customer.objects.get()
        [rule] = [rule for rule in limits.binding(customer).rules if rule.limit == made.pk]
        span = rule.span(timezone.now())
        assert span
        Window.objects.create(
            rule=rule.key,
            subject=rule.subject,
            number=span.number,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            settled=Decimal(str(used)),
        )


def test_tier_picks_the_first_class_of_its_order(choose: Choose) -> None:
    assert str(choose(HARDEST, pick="first").reason) == "large: first"
    assert choose(EASY, pick="first", classes=["reasoning", "small"]).model_class == "reasoning"


@pytest.mark.parametrize(
    ("question", "model_class", "reason"),
    [
        (EASY, "small", "small: simple"),
        (HARD, "large", "large: tools"),
        (HARDEST, "reasoning", "reasoning: wish, weighs"),
    ],
)
def test_tier_picks_the_cheapest_class_that_can_do_the_job(
    choose: Choose, question: str, model_class: str, reason: str
) -> None:
    chosen = choose(question)
    assert (chosen.model_class, chosen.reason) == (model_class, reason)
    assert [model.model_class for model in chosen.models] == [model_class]


@pytest.mark.parametrize(
    ("classes", "easy", "hard", "hardest"),
    [
        (["small"], "small", "small", "small"),
        (["large"], "large", "large", "large"),
        (["small", "reasoning"], "small", "reasoning", "reasoning"),
        (["small", "large"], "small", "large", "large"),
    ],
)
@pytest.mark.parametrize("pick", ["first", "cheapest"])
def test_class_that_the_tier_does_not_name_is_never_used(
    choose: Choose, pick: str, classes: list[str], easy: str, hard: str, hardest: str
) -> None:
    for question, expected in ((EASY, easy), (HARD, hard), (HARDEST, hardest)):
        chosen = choose(question, pick=pick, classes=classes)
        assert chosen.model_class == (classes[0] if pick == "first" else expected)


class TestModels:
    def test_class_without_an_enabled_model_is_passed_over(
        self, choose: Choose, models: dict[str, Model]
    ) -> None:
        Model.objects.filter(model_class="large").update(enabled=False)
        assert choose(HARD).model_class == "reasoning"
        assert choose(HARD, pick="first").model_class == "reasoning"
        Provider.objects.update(enabled=False)
        with pytest.raises(UnknownModel):
            choose(HARD)

    def test_models_of_a_class_are_tried_in_order(self, choose: Choose, models: dict[str, Model]) -> None:
        provider = models["small"].provider
        Model.objects.create(provider=provider, name="first", model_class="small", order=0)
        Model.objects.filter(name="gpt-4o-mini").update(order=1)
        assert [model.name for model in choose(EASY).models] == ["first", "gpt-4o-mini"]

    def test_full_model_leaves_the_question_to_the_next_of_its_class(
        self, choose: Choose, tier: Tier, models: dict[str, Model]
    ) -> None:
        limit(tier, 5, used=5, model="gpt-4o-mini")
        assert choose(EASY).first.name == "gpt-4o-mini"
        Model.objects.create(provider=models["small"].provider, name="other", model_class="small", order=1)
        assert [model.name for model in choose(EASY).models] == ["other"]
        Limit.objects.update(when_full="degrade")
        assert choose(EASY).first.name == "gpt-4o-mini"


class TestPrices:
    @pytest.fixture(autouse=True)
    def large_is_unpriced(self, models: dict[str, Model]) -> None:
        Model.objects.filter(model_class="large").update(name="house-model")

    def test_nobody_asks_for_prices_where_no_money_is_counted(self, choose: Choose, tier: Tier) -> None:
        limit(tier, 100, metric="messages")
        assert choose(HARD).model_class == "large"

    @pytest.mark.parametrize("scope", ["customer", "tier", "deployment"])
    def test_unpriced_model_is_left_out_where_money_is_counted(
        self, choose: Choose, tier: Tier, scope: str
    ) -> None:
        limit(tier, 5, metric="money", scope=scope)
        chosen = choose(HARD)
        assert (chosen.model_class, chosen.reason) == ("reasoning", "reasoning: unpriced large")
        assert choose(HARD, pick="first").reason == "reasoning: unpriced large"
        assert choose(EASY, pick="cheapest").reason == "small: simple"

    @pytest.mark.parametrize("counted", [{"model_class": "small"}, {"model": "gpt-4o-mini"}])
    def test_money_of_other_models_needs_no_price_of_this_one(
        self, choose: Choose, tier: Tier, counted: dict[str, Any]
    ) -> None:
        limit(tier, 5, 0, metric="money", **counted)
        assert choose(HARD).model_class == "large"

    def test_price_of_the_deployment_s_own_is_a_price(
        self, choose: Choose, tier: Tier, models: dict[str, Model]
    ) -> None:
        limit(tier, 5, metric="money")
        since = timezone.now() - timedelta(days=1)
        own = Price(provider=models["large"].provider, model="house-model", starts_at=since, input=Decimal(1))
        own.save()
        assert choose(HARD).model_class == "reasoning"
        own.output = Decimal(2)
        own.save()
        assert choose(HARD).model_class == "large"

    def test_nothing_priced_is_told_from_nothing_enabled(self, choose: Choose, tier: Tier) -> None:
        limit(tier, 5, metric="money")
        with pytest.raises(choice.Unpriced, match="house-model"):
            choose(HARD, classes=["large"])


class TestFull:
    @pytest.mark.parametrize("pick", ["first", "cheapest"])
    def test_next_cheaper_class_answers(self, choose: Choose, tier: Tier, pick: str) -> None:
        limit(tier, 5, used=5, model_class="large")
        chosen = choose(HARD, pick=pick, classes=["large", "reasoning", "small"])
        assert (chosen.model_class, chosen.reason) == ("small", "small: full large")

    @pytest.mark.parametrize("when_full", ["degrade", "text"])
    def test_limit_that_names_no_other_class_refuses_by_itself(
        self, choose: Choose, tier: Tier, when_full: str
    ) -> None:
        limit(tier, 5, used=5, model_class="large", when_full=when_full)
        assert choose(HARD).model_class == "large"
        assert choose(HARD, pick="first").model_class == "large"

    def test_full_class_among_the_cheaper_ones_is_passed_over(self, choose: Choose, tier: Tier) -> None:
        limit(tier, 5, used=5, model_class="large")
        limit(tier, 5, used=5, model_class="reasoning")
        assert choose(HARDEST).reason == "small: full reasoning"

    def test_dearer_class_never_steps_in(self, choose: Choose, tier: Tier) -> None:
        limit(tier, 5, used=5, model_class="small")
        assert choose(EASY).model_class == "small"
        assert choose(EASY, pick="first", classes=["small", "large"]).model_class == "small"

    def test_where_all_are_full_the_first_refuses(self, choose: Choose, tier: Tier) -> None:
        limit(tier, 5, used=5)
        assert choose(HARD).model_class == "large"

    def test_class_that_was_just_refused_is_left_out(self, choose: Choose) -> None:
        assert choose(HARD, without=("large", "reasoning")).reason == "small: full large"
        assert choose(HARD, without=("large", "reasoning"), pick="first").model_class == "small"
        with pytest.raises(choice.NoneLeft):
            choose(HARD, without=("small", "large", "reasoning"))
        with pytest.raises(choice.NoneLeft):
            choose(HARD, without=("large",), classes=["large", "reasoning"], pick="cheapest")


class TestNear:
    @pytest.mark.parametrize(
        ("used", "model_class", "reason"),
        [(89, "large", "large: tools"), (90, "small", "small: near large 90"), (99, "small", None)],
    )
    def test_cheaper_class_answers_from_nine_tenths_on(
        self, choose: Choose, tier: Tier, used: int, model_class: str, reason: str | None
    ) -> None:
        limit(tier, 100, used=used, model_class="large")
        chosen = choose(HARD)
        assert chosen.model_class == model_class
        assert chosen.reason == (reason or f"small: near large {used}")

    def test_who_asks_for_more_thought_gets_it_while_there_is_room(self, choose: Choose, tier: Tier) -> None:
        limit(tier, 100, used=95, model_class="reasoning")
        assert choose(HARDEST).model_class == "reasoning"
        assert choose(HARDEST.removeprefix("Please think hard about this: ")).model_class == "large"

    def test_first_class_is_kept_while_it_has_room(self, choose: Choose, tier: Tier) -> None:
        limit(tier, 100, used=99, model_class="large")
        assert choose(HARD, pick="first").reason == "large: first"

    def test_messages_that_all_classes_count_are_not_spared(self, choose: Choose, tier: Tier) -> None:
        limit(tier, 100, used=95)
        assert choose(HARD).model_class == "large"

    @pytest.mark.parametrize("scope", ["customer", "tier", "deployment"])
    def test_money_that_all_classes_spend_is_spared(self, choose: Choose, tier: Tier, scope: str) -> None:
        limit(tier, 10, used=9.5, metric="money", scope=scope)
        assert choose(HARD).reason == "small: near large 95"

    def test_class_that_is_nearly_used_up_itself_does_not_step_in(self, choose: Choose, tier: Tier) -> None:
        limit(tier, 100, used=95, model_class="large")
        limit(tier, 100, used=97, model_class="small")
        assert choose(HARD).model_class == "large"

    def test_grant_makes_room(self, choose: Choose, tier: Tier) -> None:
        limit(tier, 100, used=95, model_class="large")
        extra = {"metric": "messages", "model_class": "large", "amount": Decimal(100)}
        until = timezone.now() + timedelta(days=1)
        Grant.objects.create(customer=Customer.objects.get().id, expires_at=until, **extra)
        assert choose(HARD).model_class == "large"


class TestStatements:
    """The models, what went before, how far windows are used: each by one, where it can change something."""

    @pytest.fixture
    def count(self, choose: Choose, work: Work) -> Callable[..., int]:
        def counted(question: str = EASY, **changes: Any) -> int:
            choose(question, **changes)
            binding = limits.binding(work.conversation.customer)
            with CaptureQueriesContext(connection) as queries:
                choice.choose(work, binding)
            return len(queries)

        return counted

    def test_without_limits(self, count: Callable[..., int]) -> None:
        assert count(EASY) == 2
        assert count(HARDEST) == 1
        assert count(HARD, pick="first") == 1
        assert count(HARD, classes=["large"], pick="cheapest") == 1

    def test_with_limits(self, count: Callable[..., int], tier: Tier) -> None:
        limit(tier, 100, model_class="large")
        assert count(HARD) == 3
        assert count(EASY) == 2
        assert count(HARD, classes=["large"]) == 1
        assert count(HARD, pick="first", classes=ALL) == 2
