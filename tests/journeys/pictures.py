"""Takes pictures of the main states: `python -m tests.journeys.pictures FOLDER`.

Each is taken at a desk's and a phone's size, light and dark, in English and Chinese, of the running product.
"""

import argparse
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.journeys import chromium
from tests.journeys.model import StandIn
from tests.journeys.people import DESKTOP, PHONE, Person, Widget, finished
from tests.journeys.product import Product

SIZES = {"desktop": {"viewport": DESKTOP}, "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True}}
LOCALES = {"en": "en-US", "zh": "zh-CN"}
QUESTIONS = {
    "en": {
        "help": "What is your return policy?",
        "orders": "Where is my order?",
        "one": "What about order HP-10427?",
        "cancel": "Please cancel my order HP-10438",
        "private": "My e-mail is victor.l@example.org. Do you ship to Canada?",
        "degraded": "Do you ship to Canada?",
    },
    "zh": {
        "help": "退货政策是什么？",
        "orders": "我的订单到哪了？",
        "one": "订单 HP-10427 怎么样了？",
        "cancel": "请取消订单 HP-10438",
        "private": "我的邮箱是 victor.l@example.org。可以寄到加拿大吗？",
        "degraded": "可以寄到加拿大吗？",
    },
}


@dataclass
class Look:
    """One size, one colour scheme and one language."""

    size: str
    scheme: str
    locale: str

    def person(self, browser: Browser, product: Product) -> Person:
        options = {"locale": LOCALES[self.locale], "color_scheme": self.scheme, **SIZES[self.size]}
        return Person(browser, product, **options)

    def ask(self, widget: Widget, key: str) -> None:
        finished(widget.send(QUESTIONS[self.locale][key]))


class Album:
    """Where the pictures go."""

    def __init__(self, folder: Path, look: Look) -> None:
        self.folder = folder
        self.look = look

    def take(self, page: Page, name: str) -> None:
        page.evaluate("document.fonts.ready")
        page.mouse.move(0, 0)
        look = self.look
        page.screenshot(path=self.folder / f"{name}-{look.size}-{look.scheme}-{look.locale}.png")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.journeys.pictures", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    looks = [Look(*each) for each in itertools.product(SIZES, ("light", "dark"), LOCALES)]
    model = StandIn()
    with tempfile.TemporaryDirectory() as temporary, chromium.launched() as browser:
        product = Product(Path(temporary) / "var", model.url)
        try:
            product.wait_until_ready()
            for look in looks:
                customer(look, Album(folder, look), browser, product, model)
                staff(look, Album(folder, look), browser, product)
            with model.away():
                for look in looks:
                    degraded(look, Album(folder, look), browser, product)
        finally:
            product.stop()
            model.stop()


def customer(look: Look, album: Album, browser: Browser, product: Product, model: StandIn) -> None:
    """Home, greeting, an answer while it streams and when it is whole, orders, a question, the queue."""
    victor = look.person(browser, product)
    for path, name in (("/", "home"), ("/help/returns/", "help"), ("/sign-in/", "shop-sign-in")):
        victor.at_shop(path)
        expect(victor.widget.launcher).to_be_visible()
        album.take(victor.page, name)
    widget = victor.signs_in("Victor")
    victor.at_shop("/orders/")
    album.take(victor.page, "orders")
    victor.at_shop()
    begin_anew(widget.open())
    album.take(victor.page, "greeting")
    with model.holding(after=14):
        reply = widget.send(QUESTIONS[look.locale]["help"])
        model.wait_until_held()
        expect(reply.locator(".bubble.prose")).to_be_visible()
        album.take(victor.page, "streaming")
    finished(reply)
    album.take(victor.page, "answer")
    look.ask(widget, "orders")
    album.take(victor.page, "order-list")
    look.ask(widget, "one")
    album.take(victor.page, "order")
    look.ask(widget, "private")
    album.take(victor.page, "private")
    look.ask(widget, "cancel")
    approval = widget.inside.locator(".approval")
    expect(approval).to_be_visible()
    album.take(victor.page, "approval")
    approval.locator(".approval-buttons button").last.click()
    finished(widget.replies.last)
    widget.inside.locator("header > .icon-button").first.click()
    expect(widget.inside.locator(".strip-queue")).to_be_visible()
    album.take(victor.page, "queue")
    victor.context.close()


def begin_anew(widget: Widget) -> None:
    widget.inside.locator(".menu-holder > button").click()
    widget.inside.get_by_role("menuitem").nth(1).click()
    widget.inside.locator("dialog .button-main").click()
    expect(widget.own).to_have_count(0)
    expect(widget.inside.locator(".suggestions")).to_be_visible()


def staff(look: Look, album: Album, browser: Browser, product: Product) -> None:
    """Sign-in, inbox, a conversation before and after it is taken over, and the admin's tiers."""
    bob = look.person(browser, product)
    bob.page.goto(product.own + "/desk/")
    album.take(bob.page, "desk-sign-in")
    desk = bob.enters_desk()
    expect(desk.locator(".row").first).to_be_visible()
    album.take(desk, "desk-inbox")
    desk.locator(".row", has_text="victor").first.click()
    expect(desk.locator("#entries .entry").first).to_be_visible()
    album.take(desk, "desk-conversation")
    desk.locator("[data-key=t]").click()
    expect(desk.locator("form.composer")).to_be_visible()
    album.take(desk, "desk-taken-over")
    desk.locator(".head .actions form button").first.click()
    expect(desk.locator("form.composer")).to_be_hidden()
    bob.context.close()
    if look.locale == "en":
        admin(look, album, browser, product)


def admin(look: Look, album: Album, browser: Browser, product: Product) -> None:
    dana = look.person(browser, product)
    page = dana.enters_desk("admin@example.com")
    page.goto(product.own + "/admin/accounts/tier/")
    album.take(page, "admin-tiers")
    page.get_by_role("link", name="Free", exact=True).click()
    expect(page.locator(".limit-sentence").first).to_be_visible()
    album.take(page, "admin-tier")
    dana.context.close()


def degraded(look: Look, album: Album, browser: Browser, product: Product) -> None:
    visitor = look.person(browser, product)
    widget = visitor.at_shop().open()
    look.ask(widget, "degraded")
    album.take(visitor.page, "degraded")
    visitor.context.close()


if __name__ == "__main__":
    main()
