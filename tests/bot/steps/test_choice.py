"""Which class answers: the tier's classes strictly, prices where money counts, less near a limit."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import limits, quota
from accounts.models import Customer, Limit, Tier
from bot.llm.errors import UnknownModel
from bot.models import Conversation, Message, Model, Price, Provider, Turn
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

    def chosen(question: str = EASY, without: set[str] | None = None, **changes: Any) -> Choice:
        customer = work.conversation.customer
        for name, value in changes.items():
            setattr(tier, name, value)
        tier.save()
        customer.site.default_tier = tier
        work.question = question
        return choice.choose(work, limits.binding(customer), frozenset(without or ()))

    return chosen


def limit(tier: Tier, amount: float, used: float = 0, **fields: Any) -> Limit:
    """A limit of each customer of the tier, of which alice has used so much."""
    made = Limit.objects.create(tier=tier, amount=Decimal(str(amount)), **{"when_full": "next", **fields})
    customer = Customer.objects.get()
    [rule] = [rule for rule in limits.binding(customer).rules if rule.limit == made.pk]
    if used:
        claim = quota.Claim(rule, uuid4(), Decimal(str(used)))
        quota._hold([claim], uuid4(), customer, 600, None)
    return made


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
