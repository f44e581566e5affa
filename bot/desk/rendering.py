"""Masked text as safe HTML: markdown without raw HTML or images, placeholders as chips with their kind."""

import re
from collections.abc import Callable
from typing import TypeAlias

import nh3
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from bot.privacy.placeholders import PLACEHOLDER

Chip: TypeAlias = Callable[[str, str, dict[str, str]], SafeString]

# Private-use characters hold a placeholder's place while markdown is made of the text around it.
_OPEN, _SHUT = "\ue000", "\ue001"
_HELD = re.compile(f"{_OPEN}([0-9]+){_SHUT}")
_HELD_IN_ADDRESS = re.compile(r"%EE%80%80([0-9]+)%EE%80%81", re.IGNORECASE)

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable("image")
_CLEANER = nh3.Cleaner(
    tags={
        *("p", "br", "strong", "em", "code", "pre", "blockquote", "hr", "a", "ul", "ol", "li"),
        *("h1", "h2", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
    },
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
_ICONS = {
    "EMAIL": "mail",
    "PHONE": "phone",
    "CARD": "card",
    "PERSON": "person",
    "ADDRESS": "pin",
    "BANK": "card",
}


def rich(masked: str, kinds: dict[str, str]) -> SafeString:
    """A reply as HTML. `kinds` names the kinds of private values in the reader's language."""
    found: list[re.Match[str]] = []
    html = _CLEANER.clean(_MARKDOWN.render(_hold(masked, found)))
    html = _HELD_IN_ADDRESS.sub(lambda held: _name_in_address(found, held), html)
    # nh3 has made the HTML safe, and chips are escaped by format_html.
    return mark_safe(_HELD.sub(lambda held: _chip_at(found, held, kinds, chip), html))  # noqa: S308


def plain(masked: str, kinds: dict[str, str]) -> SafeString:
    """A text as HTML: everything escaped but the chips."""
    return _escaped(masked, kinds, chip)


def line(masked: str, kinds: dict[str, str]) -> SafeString:
    """A text inside a link, where chips only tell what is hidden."""
    return _escaped(masked, kinds, mark)


def chip(kind: str, number: str, kinds: dict[str, str]) -> SafeString:
    """What stands for a private value, to be pressed by who may see it."""
    return format_html(
        '<button type="button" class="chip" data-kind="{}" data-number="{}" title="{}">'
        '<svg aria-hidden="true"><use href="#i-{}"></use></svg><span>{} {}</span></button>',
        kind,
        number,
        *_said(kind, number, kinds),
    )


def mark(kind: str, number: str, kinds: dict[str, str]) -> SafeString:
    """What stands for a private value, to be read."""
    return format_html(
        '<span class="chip" title="{}"><svg aria-hidden="true"><use href="#i-{}"></use></svg>{} {}</span>',
        *_said(kind, number, kinds),
    )


def _said(kind: str, number: str, kinds: dict[str, str]) -> tuple[str, str, str, str]:
    return kinds["hidden"], _ICONS.get(kind, "lock"), kinds.get(kind, kinds["PRIVATE"]), number


def _escaped(masked: str, kinds: dict[str, str], make: Chip) -> SafeString:
    found: list[re.Match[str]] = []
    html = escape(_hold(masked, found))
    return mark_safe(_HELD.sub(lambda held: _chip_at(found, held, kinds, make), html))  # noqa: S308


def _hold(text: str, found: list[re.Match[str]]) -> str:
    text = text.replace(_OPEN, "").replace(_SHUT, "")

    def hold(match: re.Match[str]) -> str:
        found.append(match)
        return f"{_OPEN}{len(found) - 1}{_SHUT}"

    return PLACEHOLDER.sub(hold, text)


def _chip_at(found: list[re.Match[str]], held: re.Match[str], kinds: dict[str, str], make: Chip) -> str:
    match = found[int(held[1])]
    return make(match[1], match[2], kinds)


def _name_in_address(found: list[re.Match[str]], held: re.Match[str]) -> str:
    match = found[int(held[1])]
    return f"{match[1]}_{match[2]}"
