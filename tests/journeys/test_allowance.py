"""A customer uses up what their tier allows, and an admin changes it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.model import StandIn
from tests.journeys.people import Arrive, Widget
from tests.journeys.test_access import grave

pytestmark = pytest.mark.journey
FREE = 10
QUESTION = "How long is the warranty?"


def used_up(widget: Widget) -> None:
    expect(widget.footer).to_contain_text("You have used all")


def test_used_up_allowance_is_said_and_prepared_answers_go_on(arrive: Arrive, model: StandIn) -> None:
    widget = arrive().is_known_as("fiona").open()
    for number in range(1, FREE + 1):
        reply = widget.ask(QUESTION)
        expect(reply.locator(".badge")).to_be_hidden()
        if number == FREE - 1:
            expect(widget.footer).to_contain_text(f"{FREE - 1} of {FREE}")
    used_up(widget)

    asked = len(model.bodies)
    passage = widget.ask("How do I care for my tent?")
    expect(passage.locator(".badge")).to_have_text("From our help pages")
    expect(passage.get_by_role("link").first).to_be_visible()
    canned = widget.ask("When does your store open?")
    expect(canned.locator(".badge")).to_have_text("Prepared answer")
    expect(canned).to_contain_text("9 am to 7 pm")
    promise = widget.ask("xylophone quartz?")
    expect(promise.locator(".badge")).to_have_text("Not answered yet")
    assert len(model.bodies) == asked

    sheet = your_usage(widget)
    expect(sheet).to_contain_text("Full answers are used up for now. They are back")
    expect(sheet).to_contain_text(f"{FREE} of {FREE} used")
    expect(sheet).to_contain_text("Prepared answers to common questions")
    expect(sheet.get_by_role("button", name="Talk to a person")).to_be_visible()
    assert grave(widget.frame()) == []
    gives_extra(arrive().enters_desk(), "fiona", 3)
    expect(sheet).to_contain_text("Given to you")
    expect(sheet).to_contain_text("0 of 3")
    widget.page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(widget.footer).to_contain_text("You have used 0 of 3 extra messages.")
    expect(widget.ask(QUESTION).locator(".badge")).to_be_hidden()
    assert len(model.bodies) > asked


def your_usage(widget: Widget) -> Locator:
    widget.footer.get_by_role("button", name="Your usage").click()
    return widget.inside.get_by_role("dialog")


def gives_extra(desk: Page, customer: str, messages: int) -> None:
    desk.locator(".row", has_text=customer).click()
    expect(desk.locator("#allowance")).to_contain_text("Used up")
    desk.get_by_role("button", name="Give extra messages").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("Messages").fill(str(messages))
    dialog.get_by_label("Reason").fill("The parcel came late")
    assert grave(desk) == []
    dialog.get_by_role("button", name="Give", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(desk.locator("#allowance")).to_contain_text(f"0 of {messages} used")


class TierPage:
    """The admin's page of one tier."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def set_amount(self, amount: int) -> None:
        self.page.locator(".limit-edit > summary").first.click()
        self.page.locator("input[name='limits-0-amount']").fill(str(amount))
        self.page.get_by_role("button", name="Save and continue editing").click()
        expect(self.page.get_by_text("was changed successfully")).to_be_visible()


@pytest.fixture
def free_tier(arrive: Arrive) -> Iterator[TierPage]:
    dana = arrive()
    page = dana.enters_desk("admin@example.com")
    page.goto(dana.product.own + "/admin/accounts/tier/")
    page.get_by_role("link", name="Free", exact=True).click()
    tier = TierPage(page)
    yield tier
    tier.set_amount(FREE)


def test_changed_tier_bites_at_once(arrive: Arrive, free_tier: TierPage, model: StandIn) -> None:
    widget = arrive().is_known_as("georgia").open()
    widget.ask(QUESTION)
    expect(widget.footer).not_to_contain_text("used")
    free_tier.set_amount(2)
    widget.ask(QUESTION)
    expect(widget.footer).to_contain_text("You have used all 2")
    asked = len(model.bodies)
    expect(widget.ask("How do I care for my tent?").locator(".badge")).to_be_visible()
    assert len(model.bodies) == asked

    free_tier.set_amount(FREE)
    expect(widget.ask(QUESTION).locator(".badge")).to_be_hidden()
