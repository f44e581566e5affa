"""Page or network go away in the middle of an answer: nothing is lost and nothing comes twice."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.model import StandIn
from tests.journeys.people import Arrive, Cable, finished, text_of
from tests.journeys.product import Product

pytestmark = pytest.mark.journey
QUESTION = "How long is the warranty?"
REPLIES = """SELECT message.masked FROM bot_message message
 JOIN bot_conversation talk ON talk.id = message.conversation_id
 JOIN accounts_customer who ON who.id = talk.customer_id
 WHERE message.author = 'bot' AND who.external_id = %s"""


def begun(reply: Locator) -> str:
    expect(reply.locator(".bubble.prose")).to_have_text(re.compile(r"\w+"))
    return text_of(reply)


def test_reload_in_mid_answer_loses_and_doubles_nothing(
    arrive: Arrive, model: StandIn, product: Product
) -> None:
    widget = arrive().is_known_as("mara").open()
    with model.holding(after=8):
        first = begun(widget.send(QUESTION))
        widget.page.reload()
        reply = widget.open().replies.first
        assert begun(reply) == first
    finished(reply)
    assert [(text_of(reply),)] == product.rows(REPLIES, "mara")
    expect(widget.own).to_have_count(1)
    expect(widget.replies).to_have_count(1)


def test_lost_network_in_mid_answer_loses_and_doubles_nothing(
    arrive: Arrive, model: StandIn, product: Product
) -> None:
    nils = arrive()
    cable = Cable(nils)
    widget = nils.is_known_as("nils").open()
    elsewhere = arrive().is_known_as("nils").open()
    with model.holding(after=8):
        reply = widget.send(QUESTION)
        begun(reply)
        cable.pull()
        expect(widget.inside.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    finished(elsewhere.replies.first)
    expect(reply.locator(".meta")).to_have_class(re.compile("meta-empty"))
    cable.plug_in()
    finished(reply)
    assert [(text_of(reply),)] == product.rows(REPLIES, "nils")
    expect(widget.replies).to_have_count(1)


def test_message_written_offline_is_sent_later_and_once(arrive: Arrive, product: Product) -> None:
    olga = arrive()
    cable = Cable(olga)
    widget = olga.is_known_as("olga").open()
    cable.pull()
    expect(widget.inside.get_by_text("Connection lost. Reconnecting…")).to_be_visible()
    widget.input.fill(QUESTION)
    widget.input.press("Enter")
    expect(widget.own.first).to_contain_text("Will be sent when you are back online")
    cable.plug_in()
    finished(widget.replies.first)
    expect(widget.own).to_have_count(1)
    assert len(product.rows(REPLIES, "olga")) == 1


def test_question_sent_while_one_is_answered_gets_its_own_answer(arrive: Arrive, model: StandIn) -> None:
    widget = arrive().is_known_as("pavel").open()
    with model.holding(after=6):
        first = widget.send(QUESTION)
        begun(first)
        second = widget.send("Do you ship to Canada?")
    finished(first)
    finished(second)
    expect(first).to_contain_text("2-year warranty")
    expect(second).to_contain_text("Canada")
