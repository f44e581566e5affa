"""What the calls of a turn are held for and charged by, where prices differ and change."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts import limits, prices, quota
from accounts.models import Hold, Limit, UsageEntry, Window
from accounts.usage import Bound
from bot import offers, price_list, turn
from bot.models import Model, Price, Provider
from bot.steps import choice
from bot.tools import registry
from bot.tools.registry import ToolContext, ToolResult
from tests.bot.steps.conftest import LONG_AGO, Turning, look_up
from tests.upstream import Body, Reply

USED = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}


@pytest.fixture(autouse=True)
def no_limits(turning: Turning) -> None:
    Limit.objects.all().delete()


def limit_money(turning: Turning, amount: str, model: str = "") -> None:
    tier = turning.work.conversation.customer.effective_tier
    Limit.objects.create(tier=tier, metric="money", model=model, amount=Decimal(amount))
    turning.bound = Bound(limits.binding(turning.work.conversation.customer))


def pay(model: str, dollars: int, starts_at: object = LONG_AGO, **other: int) -> None:
    of = Model.objects.get(name=model)
    each = dict.fromkeys(("input", "cached", "output"), dollars)
    Price.objects.create(provider=of.provider, model=model, starts_at=starts_at, **each | other)


def test_limit_of_one_model_needs_room_for_its_own_price_only(turning: Turning) -> None:
    pay("main", 1)
    pay("spare", 1000)
    limit_money(turning, "0.02", "main")
    assert turning.ask().text == "Hello from the model."
    limit_money(turning, "0.02")
    with pytest.raises(quota.Exhausted) as refusal:
        turning.ask()
    assert [one.rule.model for one in refusal.value.full] == [""]


def test_call_is_settled_by_the_list_prices_that_it_was_held_by(
    turning: Turning, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = {"price": Decimal(100)}
    monkeypatch.setattr(prices, "_listed", lambda *named: prices.Steps(*[now["price"]] * 3))
    limit_money(turning, "10")

    def dearer(body: Body) -> Reply:
        now["price"] *= 10
        return Reply("Hello.", usage=USED)

    turning.main.default = dearer
    assert turn.answer(turning.work).outcome == "answered"
    entry, hold, window = UsageEntry.objects.get(), Hold.objects.get(metric="money"), Window.objects.get()
    assert (entry.input_price, entry.output_price, entry.cost) == (100, 100, Decimal("0.15"))
    assert (window.settled, window.overrun) == (entry.cost, 0)
    assert hold.amount >= hold.settled


def test_dearer_cached_input_is_held_for(turning: Turning) -> None:
    pay("main", 1, cached=50)
    limit_money(turning, "10")
    read = {"prompt_tokens": 200, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 200}}
    turning.main.script(Reply("Hello.", usage=read | {"total_tokens": 201}))
    turning.ask()
    hold = Hold.objects.get(metric="money")
    assert hold.settled == Decimal("0.010001")
    assert (hold.amount > hold.settled, hold.overrun) == (True, 0)


def test_price_that_begins_in_mid_turn_is_that_of_the_next_call(
    turning: Turning, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dearer(context: ToolContext, word: str = "") -> ToolResult:
        pay("main", 3, timezone.now())
        return ToolResult({"found": word})

    pay("main", 1)
    monkeypatch.setattr(registry, "offered", lambda: {"look_up": replace(look_up, run=dearer)})
    turning.main.script(Reply(tools=(("look_up", '{"word": "tent"}'),)))
    assert turn.answer(turning.work).outcome == "answered"
    charged = UsageEntry.objects.order_by("id").values_list("input_price", "output_price", "price_source")
    assert [*charged] == [(1, 1, "own"), (3, 3, "own")]


def test_price_is_that_of_the_provider_wherever_one_is_asked_for(turning: Turning) -> None:
    """By its name alone nobody lists the model."""
    router = Provider.objects.create(name="router", base_url="https://openrouter.ai/api/v1")
    Model.objects.update(enabled=False)
    Model.objects.create(provider=router, name="openai/gpt-4o-mini", model_class="small")
    limit_money(turning, "1")
    work = turning.work
    [model] = choice.choose(work, limits.binding(work.conversation.customer)).models
    rates = model.terms.rates(0)
    assert rates is not None
    assert rates.source == "list"
    assert [offered.rates() for offered in offers.by_class()["small"]] == [rates]
    listed = next(one for one in price_list.of_models() if one.provider == router.pk)
    assert (listed.known, listed.listed, listed.rates) == (True, rates, rates)
    own = Price(provider=router, model=model.name, output=Decimal(9))
    assert price_list.rates_by(own) == replace(rates, output=Decimal(9), source="own")
