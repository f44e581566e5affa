"""The model goes away and comes back; the customer is answered all the time, and told how."""

import threading
import time

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.model import StandIn
from tests.journeys.people import Arrive, finished, text_of
from tests.journeys.product import Product

pytestmark = pytest.mark.journey
QUESTION = "How long is the warranty?"


def badge(reply: Locator) -> Locator:
    return reply.locator(".badge")


def wait_for_breakers(product: Product) -> None:
    """Until the open ones let somebody try again."""
    with product.redis() as redis:
        until = [float(redis.hget(key, "open_until") or 0) for key in redis.scan_iter("breaker:*")]
    threading.Event().wait(max([0.0, *(moment - time.time() for moment in until)]))


def test_answers_are_degraded_while_the_model_is_away(
    arrive: Arrive, model: StandIn, product: Product
) -> None:
    widget = arrive().is_known_as("kasimir", tier="vip").open()
    expect(badge(widget.ask(QUESTION))).to_be_hidden()
    with model.away():
        passage = widget.ask(QUESTION)
        expect(badge(passage)).to_have_text("From our help pages")
        expect(passage.get_by_role("link", name="Two-year warranty")).to_be_visible()
        expect(badge(widget.ask("When does your store open?"))).to_have_text("Prepared answer")
        promise = widget.ask("xylophone quartz?")
        expect(badge(promise)).to_have_text("Not answered yet")
        expect(promise).to_contain_text("ask for a person")
    wait_for_breakers(product)
    answer = widget.ask(QUESTION)
    expect(badge(answer)).to_be_hidden()
    expect(answer).to_contain_text("2-year warranty")


def test_answer_that_breaks_off_is_replaced_by_a_whole_one(
    arrive: Arrive, model: StandIn, product: Product
) -> None:
    widget = arrive().is_known_as("lotte", tier="vip").open()
    with model.holding(after=6):
        reply = widget.send(QUESTION)
        expect(reply.locator(".bubble.prose")).to_be_visible()
        begun = text_of(reply)
        model.stop()
    finished(reply)
    model.start()
    expect(badge(reply)).to_have_text("From our help pages")
    assert begun not in text_of(reply)
    expect(widget.replies).to_have_count(1)
    wait_for_breakers(product)
