"""Customers take their data along and have it deleted; staff do it for them; visitors learn what is kept."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.people import Arrive, Widget
from tests.journeys.test_access import grave

pytestmark = pytest.mark.journey
EMAIL = "greta.lind@example.org"


def your_data(widget: Widget) -> Locator:
    widget.inside.get_by_role("button", name="More").click()
    widget.inside.get_by_role("menuitem", name="Your data").click()
    return widget.inside.get_by_role("dialog")


def downloaded(page: Page, button: Locator) -> str:
    with page.expect_download() as download:
        button.click()
    return Path(download.value.path()).read_text()


def test_customer_takes_their_data_along_and_has_it_deleted(arrive: Arrive) -> None:
    desk = arrive().enters_desk()
    widget = arrive().is_known_as("greta").open()
    widget.ask(f"My e-mail is {EMAIL}, how long is the warranty?")
    desk.locator(".row", has_text="greta").click()
    expect(desk.locator("#entries")).to_contain_text("2-year warranty")
    expect(desk.locator("#details")).to_contain_text("ask an admin")

    sheet = your_data(widget)
    expect(sheet).to_contain_text("kept for 365 days")
    page = downloaded(widget.page, sheet.get_by_role("button", name="Download my data"))
    assert EMAIL in page
    assert "2-year warranty" in page
    assert EMAIL in json.dumps(
        json.loads(downloaded(widget.page, sheet.get_by_role("button", name="Download as JSON")))
    )
    assert grave(widget.frame()) == []

    sheet.get_by_role("button", name="Delete my data").click()
    expect(sheet.get_by_role("button", name="Keep my data")).to_be_focused()
    assert grave(widget.frame()) == []
    widget.page.keyboard.press("Escape")
    expect(sheet.get_by_role("heading", name="Your data")).to_be_visible()
    expect(widget.own).to_have_count(1)

    sheet.get_by_role("button", name="Delete my data").click()
    sheet.get_by_role("button", name="Delete everything").click()
    expect(sheet.get_by_role("heading", name="Your data was deleted")).to_be_visible()
    sheet.get_by_role("button", name="Start afresh").click()
    expect(widget.inside.locator(".greeting")).to_be_visible()
    expect(widget.own).to_have_count(0)
    expect(widget.replies).to_have_count(0)

    expect(desk.locator("#entries")).to_contain_text("What was said here was deleted on")
    expect(desk.locator("#entries")).not_to_contain_text("warranty")
    desk.get_by_role("link", name="Closed").click()
    expect(desk.locator(".row[aria-current=true]")).to_contain_text("Deleted")
    expect(desk.locator(".row[aria-current=true]")).not_to_contain_text("greta")


def test_admin_exports_and_erases_a_customer(arrive: Arrive) -> None:
    widget = arrive().is_known_as("gustav").open()
    widget.ask("How long is the warranty?")
    desk = arrive().enters_desk("admin@example.com")
    desk.locator(".row", has_text="gustav").click()

    desk.get_by_role("button", name="Export data").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Asked for a copy by e-mail")
    assert "2-year warranty" in downloaded(desk, dialog.get_by_role("button", name="Readable page"))
    expect(dialog).to_be_hidden()

    desk.get_by_role("button", name="Erase customer").click()
    erase = dialog.get_by_role("button", name="Erase")
    dialog.get_by_label("Reason").fill("Asked to be deleted by e-mail")
    dialog.get_by_label("To confirm").fill("gusta")
    expect(erase).to_be_disabled()
    dialog.get_by_label("To confirm").fill("gustav")
    assert grave(desk) == []
    erase.click()
    expect(desk.locator("#toast")).not_to_be_empty()
    expect(desk.locator(".row", has_text="gustav")).to_have_count(0)
    expect(widget.own).to_have_count(0)


def test_visitor_is_told_what_is_kept_and_whom_to_ask(arrive: Arrive) -> None:
    widget = arrive().at_shop().open()
    sheet = your_data(widget)
    expect(sheet).to_contain_text("ask for a person")
    expect(sheet.get_by_role("link", name="Privacy at Harbor & Pine")).to_be_visible()
    expect(sheet.get_by_role("button")).to_have_count(1)
    widget.page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(widget.inside.get_by_role("button", name="More")).to_be_focused()
