"""A customer asks for a person; bob answers in the desk and hands back."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.model import StandIn
from tests.journeys.people import Arrive

pytestmark = pytest.mark.journey
QUESTION = "How long is the warranty?"


def write(desk: Page, text: str) -> None:
    desk.get_by_label("Your reply").fill(text)
    desk.get_by_role("button", name="Send").click()
    expect(said(desk, text)).to_be_visible()


def said(desk: Page, text: str) -> Locator:
    return desk.locator("#entries .entry", has_text=text)


def test_person_takes_over_and_hands_back(arrive: Arrive, model: StandIn) -> None:
    bob = arrive()
    desk = bob.enters_desk()
    widget = arrive().is_known_as("hanna").open()
    widget.ask(QUESTION)
    row = desk.locator(".row", has_text="hanna")
    expect(row).to_be_visible()

    widget.person.click()
    expect(widget.inside.get_by_text("You are in line for a person. You can keep writing.")).to_be_visible()
    expect(desk.locator(".row").first).to_contain_text("hanna")
    expect(row).to_contain_text("waiting")
    row.click()
    desk.get_by_role("button", name="Take over").click()
    expect(widget.inside.get_by_role("heading", level=1)).to_contain_text("Bob")

    asked = len(model.bodies)
    write(desk, "Hello, what happened to your tent?")
    theirs = widget.inside.locator("li.reply", has_text="what happened")
    expect(theirs.locator(".author")).to_have_text("Bob")
    widget.send("A pole broke. How long is the warranty?")
    expect(said(desk, "A pole broke")).to_be_visible()
    write(desk, "Two years: we will mend it.")
    expect(widget.log.get_by_text("Two years: we will mend it.")).to_be_visible()
    expect(widget.inside.locator("li.reply", has_text="2-year warranty")).to_have_count(1)
    assert len(model.bodies) == asked

    desk.get_by_role("button", name="Hand back").click()
    expect(widget.footer).to_contain_text("You are talking to an assistant")
    answer = widget.ask(QUESTION)
    expect(answer).to_contain_text("2-year warranty")
    expect(answer.locator(".author")).to_have_text("Piney")
    expect(said(desk, "2-year warranty")).to_have_count(2)


def test_asking_in_words_joins_the_queue_and_waiting_can_be_stopped(arrive: Arrive) -> None:
    widget = arrive().is_known_as("ida").open()
    reply = widget.ask("I want to talk to a human")
    expect(reply.locator(".badge")).to_have_text("Passed on to a person")
    widget.inside.get_by_role("button", name="Stop waiting").first.click()
    expect(widget.log.get_by_text("You are talking to the assistant again.")).to_be_visible()
    expect(widget.ask(QUESTION)).to_contain_text("2-year warranty")


def test_desk_shows_an_answer_as_it_is_written(arrive: Arrive, model: StandIn) -> None:
    desk = arrive().enters_desk()
    widget = arrive().is_known_as("jonas").open()
    widget.ask("My e-mail is jonas.vogel@example.org, how long is the warranty?")
    desk.locator(".row", has_text="jonas").click()
    expect(said(desk, "2-year warranty")).to_be_visible()
    expect(desk.locator("#entries")).not_to_contain_text("jonas.vogel")
    expect(desk.locator("#entries .chip").first).to_be_visible()
    with model.holding(after=6):
        reply = widget.send("How do I return boots that are too small?")
        expect(desk.locator(".entry.live .bubble")).to_be_visible()
        expect(reply.locator(".bubble.prose")).to_be_visible()
    expect(desk.locator(".entry.live")).to_have_count(0)
    facts = desk.locator("#entries .entry.bot").last.get_by_role("list", name="How this answer came about")
    expect(facts).to_contain_text("Model")
    expect(facts).to_contain_text("tokens")
