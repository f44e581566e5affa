"""What a browser would send when it sends a page's form as it is shown."""

from html.parser import HTMLParser

from django.http import HttpResponse

# Types of inputs that send nothing unless they are pressed or ticked.
PRESSED = {"submit", "button", "image", "reset"}
TICKED = {"checkbox", "radio"}

Sent = dict[str, str | list[str]]


class _Form(HTMLParser):
    """The fields of the forms of a page that are sent by POST."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._posts = False
        self._select = ""
        self._options: list[tuple[str, bool]] = []
        self._area: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._posts = has.get("method", "").lower() == "post" and "action" not in has
        elif not self._posts:
            return
        elif tag == "select":
            self._select, self._options = has.get("name", ""), []
            self._several = "multiple" in has
        elif tag == "option" and self._select:
            self._options.append((has.get("value", ""), "selected" in has))
        elif tag == "textarea":
            self._area, self._text = has.get("name", ""), ""
        elif tag == "input":
            self._input(has)

    def _input(self, has: dict[str, str]) -> None:
        kind = has.get("type", "text")
        if has.get("name") and kind not in PRESSED and (kind not in TICKED or "checked" in has):
            self.fields.append((has["name"], has.get("value", "on" if kind in TICKED else "")))

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._posts = False
        elif tag == "textarea" and self._area:
            self.fields.append((self._area, self._text.removeprefix("\n")))
            self._area = None
        elif tag == "select" and self._select:
            chosen = [value for value, selected in self._options if selected]
            if not chosen and self._options and not self._several:
                chosen = [self._options[0][0]]
            self.fields += [(self._select, value) for value in chosen]
            self._select = ""


def shown(page: HttpResponse) -> Sent:
    """The values of a page's form; a test changes what a person would, and sends it."""
    form = _Form()
    form.feed(page.content.decode())
    sent: dict[str, list[str]] = {}
    for name, value in form.fields:
        sent.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in sent.items()}
