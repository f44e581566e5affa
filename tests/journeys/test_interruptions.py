"""Page or network go away in the middle of an answer: nothing is lost and nothing comes twice."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, WebSocketRoute, expect

from tests.journeys.model import StandIn
from tests.journeys.people import Arrive, Cable, Person, finished, text_of
from tests.journeys.product import Product

pytestmark = pytest.mark.journey
QUESTION = "How long is the warranty?"
REPLIES = """SELECT message.masked FROM bot_message message
 JOIN bot_conversation talk ON talk.id = message.conversation_id
 WHERE message.author = 'bot' AND talk.customer_id = %s"""


class Retraction:
    """Stands between a browser and the server, and can take back what an answer has shown so far."""

    def __init__(self, person: Person) -> None:
        self._last: dict[str, Any] = {}
        self._taken_back = 0
        person.context.route_web_socket(re.compile("/ws/chat/"), self._connect)

    def take_back(self) -> None:
        self._taken_back += 1
        reset = {key: self._last[key] for key in ("turn", "attempt")}
        self._browser.send(json.dumps({"type": "reset", "seq": self._last["seq"] + 1, **reset}))

    def _connect(self, browser: WebSocketRoute) -> None:
        self._browser, server = browser, browser.connect_to_server()
        browser.on_message(server.send)
        server.on_message(self._pass_on)

    def _pass_on(self, message: str | bytes) -> None:
        frame = json.loads(message)
        if "seq" in frame:
            frame["seq"] += self._taken_back
            self._last = frame
        self._browser.send(json.dumps(frame))


# Where a reply's text stands below the question, which is how a list that scrolls to what is new keeps it.
PLACE = """text => {
  const { x, y, width, height } = text.getBoundingClientRect();
  return [x, y - document.querySelector("li.own").getBoundingClientRect().y, width, height];
}"""


def begun(reply: Locator) -> str:
    expect(reply.locator(".bubble.prose")).to_have_text(re.compile(r"\w+"))
    return text_of(reply)


def test_reload_in_mid_answer_loses_and_doubles_nothing(
    arrive: Arrive, model: StandIn, product: Product
) -> None:
    widget = arrive().is_known_as("mara").open()
    with model.holding(after=8):
        reply = widget.send(QUESTION)
        said = model.wait_until_held().strip()
        expect(reply.locator(".bubble.prose")).to_have_text(said)
        widget.page.reload()
        reply = widget.open().replies.first
        expect(reply.locator(".bubble.prose")).to_have_text(said)
    finished(reply)
    assert [(text_of(reply),)] == product.rows(REPLIES, product.customer("mara"))
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
    assert [(text_of(reply),)] == product.rows(REPLIES, product.customer("nils"))
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
    assert len(product.rows(REPLIES, product.customer("olga"))) == 1


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


def test_text_that_is_taken_back_stays_faded_until_something_comes_in_its_place(
    arrive: Arrive, model: StandIn, product: Product
) -> None:
    rosa = arrive()
    wire = Retraction(rosa)
    widget = rosa.is_known_as("rosalie").open()
    with model.holding(after=12):
        reply = widget.send(QUESTION)
        model.wait_until_held()
        begun(reply)
        before, bubble = text_of(reply), reply.locator(".bubble.prose")
        place = bubble.evaluate(PLACE)
        wire.take_back()
        expect(reply).to_have_attribute("data-stale", "true")
        expect(reply.locator(".bubble.working")).to_be_visible()
        assert (text_of(reply), bubble.evaluate(PLACE)) == (before, place)
    finished(reply)
    expect(reply).not_to_have_attribute("data-stale", "true")
    assert [(text_of(reply),)] == product.rows(REPLIES, product.customer("rosalie"))
