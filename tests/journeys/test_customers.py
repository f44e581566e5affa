"""Customers do not see each other, and a shared browser forgets."""

import pytest
from playwright.sync_api import expect

from tests.journeys.people import Arrive
from tests.journeys.product import Product

pytestmark = pytest.mark.journey
OPEN = "SELECT count(*) FROM bot_conversation WHERE closed_at IS NULL AND customer_id = %s"


def test_customers_have_conversations_of_their_own(arrive: Arrive) -> None:
    alice = arrive().signs_in("Alice").open()
    carol = arrive().signs_in("Carol").open()
    hers = alice.ask("Where is my order?")
    expect(hers).to_contain_text("HP-10423")
    other = carol.ask("Where is my order?")
    expect(other).to_contain_text("HP-10419")
    expect(other).not_to_contain_text("HP-10423")
    expect(carol.ask("What about order HP-10423?")).to_contain_text("There is no order HP-10423")
    expect(alice.log).not_to_contain_text("HP-10419")


def test_signing_out_forgets(arrive: Arrive) -> None:
    victor = arrive()
    widget = victor.signs_in("Victor").open()
    widget.ask("Do you ship to Canada?")
    widget.launcher.click()
    victor.page.get_by_role("button", name="Sign out").click()
    expect(victor.page.get_by_role("link", name="Sign in").first).to_be_visible()
    widget.open()
    expect(widget.own).to_have_count(0)
    expect(widget.replies).to_have_count(0)
    expect(widget.ask("Show me my orders, please")).to_contain_text("sign in")
    expect(widget.inside.get_by_role("article")).to_have_count(0)


def test_visitor_s_conversation_comes_along_when_they_sign_in(arrive: Arrive, product: Product) -> None:
    person = arrive()
    widget = person.at_shop().open()
    widget.ask("Do you ship to Canada?")
    assert "quentin" not in product.customers()
    widget = person.is_known_as("quentin").open()
    expect(widget.own).to_contain_text(["Do you ship to Canada?"])
    assert product.rows(OPEN, product.customer("quentin")) == [(1,)]


def test_new_conversation_begins_empty(arrive: Arrive) -> None:
    widget = arrive().at_shop().open()
    widget.ask("Do you ship to Canada?")
    widget.inside.get_by_role("button", name="More").click()
    widget.inside.get_by_role("menuitem", name="New conversation").click()
    widget.inside.get_by_role("button", name="Start new").click()
    expect(widget.own).to_have_count(0)
    expect(widget.inside.get_by_role("list", name="Suggested questions")).to_be_visible()
