"""A signed-in customer asks for an order and has one cancelled, with a tap, once."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.people import Arrive, Person, Widget, finished
from tests.journeys.product import Product

pytestmark = pytest.mark.journey
CANCELLED = "SELECT number FROM demo_order WHERE status = 'cancelled' AND cancelled_by <> '' AND number = %s"
CHANGES = """SELECT call.state FROM bot_toolcall call JOIN bot_turn turn ON turn.id = call.turn_id
 JOIN bot_conversation talk ON talk.id = turn.conversation_id
 WHERE call.name = 'cancel_order' AND talk.customer_id = %s"""


def question(widget: Widget) -> Locator:
    return widget.inside.get_by_role("group", name="Cancel order")


def yes(widget: Widget) -> Locator:
    return question(widget).get_by_role("button", name="Yes, go ahead")


def order_in_shop(person: Person, number: str) -> Locator:
    page: Page = person.context.new_page()
    page.goto(person.product.shop + "/orders/")
    return page.locator(f"article#{number}")


def test_order_is_shown_and_cancelled_once(arrive: Arrive, product: Product) -> None:
    alice = arrive()
    widget = alice.signs_in("Alice").open()
    orders = widget.ask("where is my order?").get_by_role("article")
    expect(orders).to_contain_text("HP-10431")
    expect(orders).to_contain_text("Processing")

    widget.ask("Please cancel my order HP-10431")
    expect(question(widget)).to_contain_text("Order total")
    expect(order_in_shop(alice, "HP-10431")).to_contain_text("Being prepared")
    outcome = widget.next_reply()
    yes(widget).click()
    finished(outcome)
    expect(outcome.get_by_role("article")).to_contain_text("Cancelled")
    expect(question(widget)).to_contain_text("Done")
    expect(yes(widget)).to_be_hidden()
    expect(order_in_shop(alice, "HP-10431")).to_contain_text("Cancelled")
    assert product.rows(CHANGES, product.customer("alice")) == [("done",)]


def test_second_tab_cannot_do_it_twice(arrive: Arrive, product: Product) -> None:
    victor = arrive()
    first = victor.signs_in("Victor").open()
    first.ask("Please cancel my order HP-10438")
    expect(question(first)).to_be_visible()
    page = victor.context.new_page()
    page.goto(product.shop)
    second = Widget(page).open()
    expect(yes(second)).to_be_visible()
    before = first.replies.count()
    # Held before the first tap, because an answered question has no buttons any more.
    buttons = [yes(widget).element_handle() for widget in (first, second)]
    for button in [*buttons, *buttons]:
        button.evaluate("button => button.click()")
    for widget in (first, second):
        expect(question(widget)).to_contain_text("Done")
        finished(widget.replies.nth(before))
        expect(widget.replies).to_have_count(before + 1)
    assert product.rows(CHANGES, product.customer("victor")) == [("done",)]
    assert product.rows(CANCELLED, "HP-10438") == [("HP-10438",)]


def test_declined_order_stays(arrive: Arrive, product: Product) -> None:
    carol = arrive()
    widget = carol.signs_in("Carol").open()
    widget.ask("Please cancel my order HP-10435")
    question(widget).get_by_role("button", name="No", exact=True).click()
    expect(question(widget)).to_contain_text("Not done, as you asked")
    expect(order_in_shop(carol, "HP-10435")).to_contain_text("Being prepared")
    assert product.rows(CHANGES, product.customer("carol")) == [("declined",)]
    assert product.rows(CANCELLED, "HP-10435") == []
