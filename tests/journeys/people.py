"""Somebody with a browser of their own, and what they see of the shop, the widget, the desk and the admin."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Frame,
    Locator,
    Page,
    WebError,
    WebSocketRoute,
    expect,
)

from tests.journeys.product import Product

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PATIENCE = 15_000  # milliseconds
WATCH_POLICY = """addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
});"""


class Person:
    """One person's browser: cookies, storage, language, and everything that went wrong in it."""

    def __init__(self, browser: Browser, product: Product, **options: Any) -> None:
        settings = {"locale": "en-US", "viewport": DESKTOP, "reduced_motion": "reduce"} | options
        self.product = product
        self.context = browser.new_context(**settings)
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(WATCH_POLICY)
        self.context.on("console", self._console)
        self.context.on("weberror", self._page_error)
        self._troubles: list[str] = []
        self._forgiven: list[str] = []
        self.page = self.context.new_page()

    def forgive(self, *fragments: str) -> None:
        """Let errors pass that the journey itself provokes."""
        self._forgiven += fragments

    @property
    def troubles(self) -> list[str]:
        return [one for one in self._troubles if not any(fragment in one for fragment in self._forgiven)]

    @property
    def widget(self) -> "Widget":
        return Widget(self.page)

    def at_shop(self, path: str = "/") -> "Widget":
        """Open a page of the shop on its second origin."""
        self.page.goto(self.product.shop + path)
        return self.widget

    def signs_in(self, name: str) -> "Widget":
        """Sign in to the shop by its button."""
        self.page.goto(self.product.shop + "/sign-in/")
        self.page.locator("main").get_by_role("button", name=name).click()
        self.page.wait_for_url(self.product.shop + "/")
        return self.widget

    def is_known_as(self, sub: str, **claims: Any) -> "Widget":
        """Come to a page that tells the widget who somebody without a button in the shop is."""
        self.at_shop()
        expect(self.widget.launcher).to_be_visible()
        self.page.evaluate("jwt => frontdesk.identify(jwt)", self.product.identity(sub, **claims))
        return self.widget

    def enters_desk(self, email: str = "agent@example.com") -> "Page":
        """Sign in to the desk through its form."""
        self.page.goto(self.product.own + "/desk/")
        self.page.locator("input[name=email]").fill(email)
        self.page.locator("input[name=password]").fill(self.product.password)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#connection")).to_have_attribute("data-state", "live")
        return self.page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._troubles.append(f"{message.text} ({message.location.get('url', '')})")

    def _page_error(self, error: WebError) -> None:
        self._troubles.append(f"uncaught: {error.error}")


class Cable:
    """One person's network, which can be pulled out: no request goes through and open sockets break."""

    def __init__(self, person: Person) -> None:
        self._context = person.context
        self._out = False
        self._ends: list[WebSocketRoute] = []
        self._context.route_web_socket(re.compile("/ws/"), self._connect)
        person.forgive("ERR_INTERNET_DISCONNECTED")

    def pull(self) -> None:
        self._out = True
        self._context.set_offline(True)
        for end in self._ends:
            end.close()
        self._ends.clear()

    def plug_in(self) -> None:
        self._out = False
        self._context.set_offline(False)

    def _connect(self, socket: WebSocketRoute) -> None:
        if self._out:
            socket.close()
        else:
            self._ends += [socket.connect_to_server(), socket]


class Widget:
    """The chat as the customer uses it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.inside = page.frame_locator("iframe")
        self.launcher = page.locator("button.launcher")
        self.input = self.inside.get_by_role("textbox")
        self.log = self.inside.get_by_role("log")
        self.replies = self.inside.locator("li.reply")
        self.own = self.inside.locator("li.own")
        self.footer = self.inside.locator("footer")
        self.person = self.inside.get_by_role("banner").get_by_role("button", name="Talk to a person")

    def open(self) -> "Widget":
        self.launcher.click()
        expect(self.input).to_be_visible()
        expect(self.inside.locator(".greeting")).to_be_visible()
        return self

    def next_reply(self) -> Locator:
        """The place where the next answer will be."""
        return self.replies.nth(self.replies.count())

    def send(self, text: str) -> Locator:
        """Type and send; the place where the answer will be."""
        place = self.next_reply()
        self.input.fill(text)
        self.input.press("Enter")
        expect(self.own.filter(has_text=text.splitlines()[0]).last).not_to_have_attribute(
            "data-status", "sending"
        )
        return place

    def ask(self, text: str) -> Locator:
        """Type, send and wait for the whole answer."""
        reply = self.send(text)
        finished(reply)
        return reply

    def frame(self) -> Frame:
        return next(frame for frame in self.page.frames if "/widget/" in frame.url)


def finished(reply: Locator) -> None:
    """Wait until an answer is stored and has its time."""
    expect(reply.locator(".meta")).not_to_have_class(re.compile("meta-empty"))
    expect(reply.locator(".bubble.working")).to_be_hidden()


def text_of(reply: Locator) -> str:
    return reply.locator(".bubble.prose").inner_text()


Arrive = Callable[..., Person]
