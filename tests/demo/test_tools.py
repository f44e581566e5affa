"""What the assistant may do with orders: the customer's own only, and a cancellation once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import get_type_hints

import pytest
from django.utils import timezone

from bot.tools.registry import Private, ToolContext, ToolError
from demo import tools
from demo.models import Order
from demo.seed import seed_shop

pytestmark = pytest.mark.usefixtures("shop")


def session_of(customer: str | None, locale: str = "en", key: str = "call-1") -> ToolContext:
    return ToolContext(site="demo", customer=customer, locale=locale, key=key)


@contextmanager
def refused() -> Iterator[list[str]]:
    said: list[str] = []
    with pytest.raises(ToolError) as problem:
        yield said
    said.append(str(problem.value))


def test_every_tool_is_for_verified_customers_and_only_cancelling_asks_first() -> None:
    assert [one.name for one in tools.TOOLS] == ["my_orders", "order_status", "cancel_order"]
    assert all(one.verified for one in tools.TOOLS)
    assert [one.name for one in tools.TOOLS if one.changes] == ["cancel_order"]


def test_my_orders_lists_the_customers_own_with_a_card() -> None:
    result = tools.my_orders.run(session_of("alice"))
    numbers = [order.number for order in result.data.orders]
    assert numbers == ["HP-10431", "HP-10423", "HP-10388"]
    assert result.card is not None
    assert result.card.kind == "orders"
    assert [order["number"] for order in result.card.data["orders"]] == numbers


def test_order_card_holds_dates_prices_and_pictures_as_text() -> None:
    card = tools.order_status.run(session_of("alice"), number="HP-10431").card
    assert card is not None
    data = card.data
    assert (data["status"], data["currency"], data["total"]) == ("processing", "USD", "267.00")
    assert data["eta"] == (timezone.localdate() + timedelta(days=5)).isoformat()
    assert "delivered_on" not in data
    assert [item["quantity"] for item in data["items"]] == [1, 2]
    assert data["items"][0]["image"].startswith("http://127.0.0.1:8000/static/demo/products/squall")
    assert data["url"].endswith("/orders/#HP-10431")


def test_order_is_told_in_the_customers_language() -> None:
    facts = tools.order_status.run(session_of("alice", "zh"), number="HP-10423").data
    assert [item.title for item in facts.items] == ["Granite 中帮登山靴"]


@pytest.mark.parametrize("written", ["HP-10423", "hp-10423", " #10423", "10423"])
def test_number_is_understood_as_people_write_it(written: str) -> None:
    assert tools.order_status.run(session_of("alice"), number=written).data.number == "HP-10423"


def test_private_fields_are_marked() -> None:
    hints = get_type_hints(tools.OrderFacts, include_extras=True)
    kinds = {
        name: mark.kind
        for name, hint in hints.items()
        for mark in getattr(hint, "__metadata__", ())
        if isinstance(mark, Private)
    }
    assert kinds == {"recipient": "PERSON", "phone": "PHONE", "address": "ADDRESS"}


@pytest.mark.parametrize("customer", ["carol", "nobody", None])
def test_foreign_and_unknown_orders_answer_alike(customer: str | None) -> None:
    context = session_of(customer)
    with refused() as foreign:
        tools.order_status.run(context, number="HP-10423")
    with refused() as unknown:
        tools.order_status.run(context, number="HP-99999")
    assert foreign[0].replace("HP-10423", "HP-99999") == unknown[0]
    with refused():
        tools.propose_cancel(context, number="HP-10431")
    with refused():
        tools.cancel_order.run(context, number="HP-10431")
    assert Order.objects.get(number="HP-10431").status == Order.Status.PROCESSING


def test_proposal_says_what_would_be_cancelled() -> None:
    proposal = tools.propose_cancel(session_of("alice"), number="HP-10431")
    assert proposal.title == "Cancel order HP-10431?"
    assert proposal.lines[:3] == (
        "1 × Squall rain shell",
        "2 × Spring insulated bottle",
        "Order total: $267.00",
    )
    assert "取消订单" in tools.propose_cancel(session_of("alice", "zh"), number="HP-10431").title
    assert Order.objects.get(number="HP-10431").status == Order.Status.PROCESSING


@pytest.mark.parametrize("number", ["HP-10423", "HP-10388"])
def test_order_that_has_left_cannot_be_cancelled(number: str) -> None:
    context = session_of("alice")
    with refused() as before:
        tools.propose_cancel(context, number=number)
    with refused() as after:
        tools.cancel_order.run(context, number=number)
    assert before == after
    assert "cannot be cancelled" in before[0]


def test_cancelling_twice_by_one_call_is_once() -> None:
    context = session_of("alice", key="call-7")
    first = tools.cancel_order.run(context, number="HP-10431")
    again = tools.cancel_order.run(context, number="HP-10431")
    assert first.data == again.data
    assert (first.data.cancelled, first.data.already_cancelled) == (True, False)
    assert first.card is not None
    assert first.card.data["status"] == "cancelled"
    assert Order.objects.get(number="HP-10431").cancelled_by == "call-7"


def test_cancelling_by_another_call_says_it_was_done_before() -> None:
    tools.cancel_order.run(session_of("alice", key="call-7"), number="HP-10431")
    other = session_of("alice", key="call-8")
    result = tools.cancel_order.run(other, number="HP-10431")
    assert (result.data.cancelled, result.data.already_cancelled) == (False, True)
    assert Order.objects.get(number="HP-10431").cancelled_by == "call-7"
    with refused() as said:
        tools.propose_cancel(other, number="HP-10431")
    assert "already been cancelled" in said[0]


def test_seed_run_again_keeps_what_people_did() -> None:
    tools.cancel_order.run(session_of("alice"), number="HP-10431")
    Order.objects.filter(number="HP-10423").update(eta=timezone.localdate() - timedelta(days=9))
    seed_shop()
    assert Order.objects.get(number="HP-10431").status == Order.Status.CANCELLED
    assert Order.objects.get(number="HP-10423").eta == timezone.localdate() + timedelta(days=2)
    assert Order.objects.count() == 9
    assert Order.objects.get(number="HP-10431").items.count() == 2
