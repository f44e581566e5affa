"""Everybody can use it: by keyboard, with a screen reader, on a phone, in Chinese; and nothing jumps."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page, expect

from tests.journeys.model import StandIn
from tests.journeys.people import PHONE, Arrive, finished

pytestmark = pytest.mark.journey
QUESTION = "How long is the warranty?"
FOCUS = "document.activeElement.shadowRoot?.activeElement?.className ?? document.activeElement.tagName"
WATCH_SHIFTS = """globalThis.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""


def test_keyboard_alone_is_enough(arrive: Arrive) -> None:
    visitor = arrive()
    widget = visitor.at_shop()
    keyboard = visitor.page.keyboard
    widget.launcher.focus()
    keyboard.press("Enter")
    expect(widget.input).to_be_focused()
    keyboard.type(QUESTION)
    keyboard.press("Enter")
    finished(widget.replies.first)
    expect(widget.input).to_be_focused()
    keyboard.press("Escape")
    expect(widget.input).to_be_hidden()
    assert visitor.page.evaluate(FOCUS) == "launcher"
    keyboard.press("Space")
    expect(widget.input).to_be_focused()


def test_screen_reader_finds_its_way(arrive: Arrive) -> None:
    widget = arrive().at_shop()
    expect(widget.page.get_by_role("button", name="Open chat")).to_have_attribute("aria-expanded", "false")
    inside = widget.open().inside
    expect(widget.page.get_by_role("button", name="Close chat")).to_have_attribute("aria-expanded", "true")
    expect(inside.get_by_role("heading", level=1)).to_have_text("Piney · Harbor & Pine")
    expect(inside.get_by_role("log", name="Conversation")).to_be_visible()
    expect(inside.get_by_role("textbox", name="Your message")).to_be_visible()
    expect(inside.get_by_role("contentinfo")).to_contain_text("You are talking to an assistant")
    expect(inside.get_by_role("link", name="Privacy")).to_be_visible()
    reply = widget.ask(QUESTION)
    said = inside.locator("[aria-live=polite]")
    expect(said).to_contain_text("Piney:")
    expect(said).to_contain_text("2-year warranty")
    good = reply.get_by_role("button", name="Helpful", exact=True)
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")


def test_phone_is_filled(arrive: Arrive) -> None:
    visitor = arrive(viewport=PHONE, has_touch=True, is_mobile=True)
    widget = visitor.at_shop().open()
    box = visitor.page.locator("iframe").bounding_box()
    assert box == {"x": 0, "y": 0, **PHONE}
    expect(widget.ask(QUESTION)).to_contain_text("2-year warranty")
    inside = "document.documentElement.scrollWidth <= innerWidth"
    assert widget.frame().evaluate(inside)
    assert visitor.page.evaluate(inside)
    widget.inside.get_by_role("button", name="Close chat").click()
    expect(widget.input).to_be_hidden()


def test_chinese_visitor_is_answered_in_chinese(arrive: Arrive) -> None:
    visitor = arrive(locale="zh-CN")
    visitor.at_shop()
    visitor.page.get_by_role("button", name="打开对话").click()
    widget = visitor.widget
    expect(widget.inside.get_by_role("textbox", name="您的消息")).to_be_visible()
    expect(widget.inside.get_by_role("contentinfo")).to_contain_text("您正在与智能助手对话")
    reply = widget.ask("保修期是多久？")
    expect(reply).to_contain_text("保修")
    expect(reply.get_by_role("list", name="了解更多").get_by_role("link").first).to_be_visible()


def test_nothing_jumps_while_text_streams(arrive: Arrive, model: StandIn) -> None:
    visitor = arrive(reduced_motion="no-preference")
    visitor.context.add_init_script(WATCH_SHIFTS)
    widget = visitor.at_shop().open()
    for question in (QUESTION, "Do you ship to Canada?", "How do I return boots that are too small?"):
        with model.slowly(0.04):
            with model.holding(after=0):
                reply = widget.send(question)
                model.wait_until_held()
                widget.frame().evaluate("shifted = 0")  # what moved because something was sent
            finished(reply)
        assert widget.frame().evaluate("shifted") < 0.01
    assert visitor.page.evaluate("shifted") < 0.01


def grave(where: Page | Frame) -> list[str]:
    """What axe holds to be serious or critical."""
    violations: list[dict[str, Any]] = Axe().run(where).response["violations"]
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary']}"
        for one in violations
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


Schemes = pytest.mark.parametrize("scheme", ["light", "dark"])


@Schemes
def test_axe_finds_nothing_grave_in_shop_and_widget(arrive: Arrive, scheme: str) -> None:
    visitor = arrive(color_scheme=scheme)
    visitor.at_shop("/help/returns/")
    assert grave(visitor.page) == []
    visitor.at_shop("/sign-in/")
    assert grave(visitor.page) == []
    widget = visitor.signs_in("Carol").open()
    widget.ask("Where is my order?")
    widget.ask("How do I return boots that are too small?")
    assert grave(visitor.page) == []
    assert grave(widget.frame()) == []


@Schemes
def test_axe_finds_nothing_grave_in_the_desk(arrive: Arrive, scheme: str) -> None:
    widget = arrive().is_known_as("rosa").open()
    widget.ask("My e-mail is rosa@example.org, how long is the warranty?")
    bob = arrive(color_scheme=scheme)
    bob.page.goto(bob.product.own + "/desk/")
    assert grave(bob.page) == []
    desk = bob.enters_desk()
    desk.locator(".row", has_text="rosa").click()
    expect(desk.locator("#entries")).to_contain_text("2-year warranty")
    assert grave(desk) == []
