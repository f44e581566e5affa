"""The page that carries the widget comes to no harm, whatever becomes of Frontdesk."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import Arrive, Person

pytestmark = pytest.mark.journey
DOWN = "Chat is unavailable right now"
WITH_UNKNOWN_KEY = """new MutationObserver(() => {
  for (const tag of document.querySelectorAll("[data-site=demo]")) tag.dataset.site = "nobody";
}).observe(document, { childList: true, subtree: true });"""


def still_works(page: Page) -> None:
    page.get_by_role("link", name="My orders").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My orders")


def chat_is_said_to_be_away(person: Person) -> None:
    """The launcher gives up after a while, says so, and can be tried again."""
    person.page.clock.install()
    person.page.goto(person.product.shop)
    launcher = person.page.get_by_role("button", name="Open chat")
    launcher.click()
    person.page.clock.fast_forward(9_000)
    expect(person.page.get_by_text(DOWN)).to_be_visible()
    expect(launcher).to_have_attribute("aria-expanded", "false")


def test_page_is_whole_when_frontdesk_is_away(arrive: Arrive) -> None:
    visitor = arrive()
    visitor.forgive("ERR_CONNECTION_REFUSED")
    visitor.context.route(f"{visitor.product.own}/**", lambda route: route.abort("connectionrefused"))
    visitor.at_shop()
    visitor.page.get_by_role("button", name="Ask us anything").click()
    expect(visitor.page.locator("button.launcher")).to_have_count(0)
    still_works(visitor.page)


def test_launcher_says_so_when_the_frame_does_not_come(arrive: Arrive) -> None:
    visitor = arrive()
    visitor.forgive("ERR_CONNECTION_REFUSED")
    visitor.context.route("**/widget/demo/**", lambda route: route.abort("connectionrefused"))
    chat_is_said_to_be_away(visitor)
    still_works(visitor.page)


def test_page_is_whole_when_its_site_key_is_unknown(arrive: Arrive) -> None:
    visitor = arrive()
    visitor.forgive("status of 404", "X-Frame-Options")  # how the browser puts a page that is not there

    visitor.context.add_init_script(WITH_UNKNOWN_KEY)
    chat_is_said_to_be_away(visitor)
    still_works(visitor.page)


def test_widget_leaves_one_name_and_no_cookie_on_the_page(arrive: Arrive) -> None:
    visitor = arrive()
    names = "Object.keys(window).filter((name) => !before.includes(name))"
    visitor.page.add_init_script("globalThis.before = Object.keys(window)")
    visitor.at_shop().open()
    assert sorted(visitor.page.evaluate(names)) == ["before", "frontdesk"]
    assert not [c for c in visitor.context.cookies() if c["name"] != "frontdesk_csrf"]
