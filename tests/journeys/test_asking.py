"""Somebody asks a question and reads the answer."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.journeys.model import StandIn
from tests.journeys.people import Arrive, finished, text_of

pytestmark = pytest.mark.journey
QUESTION = "What is your return policy?"


def test_answer_streams_and_names_its_source(arrive: Arrive, model: StandIn) -> None:
    visitor = arrive()
    widget = visitor.at_shop().open()
    with model.holding(after=6):
        reply = widget.send(QUESTION)
        expect(reply.locator(".bubble.prose")).to_have_text(re.compile(r"\w+"))
        first = text_of(reply)
        expect(widget.inside.get_by_role("button", name="Stop answering")).to_be_visible()
    finished(reply)
    assert text_of(reply).startswith(first)
    assert len(text_of(reply)) > len(first)
    expect(reply.locator(".badge")).to_be_hidden()
    source = reply.get_by_role("list", name="Read more").get_by_role("link", name="Returns and refunds")
    assert urlsplit(source.get_attribute("href") or "").path == "/help/returns/"
    with visitor.context.expect_page() as opened:
        source.click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("Returns and refunds")


def test_suggested_question_is_asked_with_one_tap(arrive: Arrive) -> None:
    widget = arrive().at_shop().open()
    suggestion = widget.inside.get_by_role("list", name="Suggested questions").get_by_role("button").last
    question = suggestion.inner_text()
    suggestion.click()
    finished(widget.replies.first)
    expect(widget.own.first).to_contain_text(question)
    expect(suggestion).to_be_hidden()


def test_stop_ends_the_answer_where_it_is(arrive: Arrive, model: StandIn) -> None:
    widget = arrive().at_shop().open()
    with model.holding(after=6):
        reply = widget.send(QUESTION)
        expect(reply.locator(".bubble.prose")).to_have_text(re.compile(r"\w+"))
        widget.inside.get_by_role("button", name="Stop answering").click()
        expect(reply.locator(".badge")).to_have_text("Stopped")
        stopped = text_of(reply)
    assert text_of(widget.ask("How long is the warranty?")) != stopped
    assert text_of(reply) == stopped


def test_widget_works_on_the_product_s_own_origin(arrive: Arrive) -> None:
    visitor = arrive()
    visitor.page.goto(visitor.product.own + "/help/warranty/")
    reply = visitor.widget.open().ask("How long is the warranty?")
    expect(reply).to_contain_text("2-year warranty")
