"""How the desk's pages write what the reads give them."""

import json
import re
import zlib
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.statement import Line
from bot.desk import rendering
from bot.privacy.placeholders import PLACEHOLDER
from bot.web import choice_words, desk_words

register = template.Library()
_MARKS = re.compile(r"[*`]+|(?<!\S)(?:#+|[-*]) ")


@register.filter
def rich(masked: str) -> SafeString:
    """A reply as safe HTML with chips."""
    return rendering.rich(masked, desk_words.kinds())


@register.filter
def plain(masked: str) -> SafeString:
    """A text as it was typed, with chips."""
    return rendering.plain(masked, desk_words.kinds())


@register.filter
def line(masked: str) -> SafeString:
    """The beginning of a message on one line, without the marks of its markdown."""
    return rendering.line(_MARKS.sub("", " ".join(masked.split())), desk_words.kinds())


@register.filter
def hides(masked: str | None) -> bool:
    """Whether a message said something that its text here does not show."""
    return masked is None or PLACEHOLDER.search(masked) is not None


@register.filter
def hue(name: str) -> int:
    """One of eight colours, always the same for one customer."""
    return zlib.crc32(name.encode()) % 8


@register.filter
def safe_link(url: str) -> bool:
    """Only addresses of the web become links."""
    return url.startswith(("https://", "http://"))


@register.filter
def arguments(value: dict[str, Any]) -> SafeString:
    """What a tool was asked, as JSON with chips."""
    return rendering.plain(json.dumps(value, ensure_ascii=False, indent=2), desk_words.kinds())


@register.filter
def fill(sentence: str, fact: object) -> str:
    """A sentence with its {} filled in."""
    return sentence.format(fact)


@register.simple_tag(takes_context=True)
def word(context: template.Context, prefix: str, key: object) -> str:
    """The word for one of a family such as state_bot, state_queue; an unknown key as it is."""
    text: str = context["w"].get(f"{prefix}_{key}", str(key))
    return text


@register.simple_tag(takes_context=True)
def why(context: template.Context, reason: str) -> str:
    """Why a model, or none, has answered."""
    return choice_words.plain(reason, context["w"], desk_words.locale()) or word(context, "reason", reason)


@register.filter
def usd(cost: Decimal | None) -> str:
    """Dollars with as many digits as a small sum needs; a dash when there is no known price."""
    if cost is None:
        return "—"
    if cost == 0:
        return "$0"
    digits = 2 if cost >= 1 else 4 if cost >= Decimal("0.001") else 6
    return f"${cost:,.{digits}f}"


@register.filter
def seconds(value: float | None) -> str:
    if value is None:
        return "—"
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


@register.filter
def thousands(value: int) -> str:
    return f"{value:,}"


@register.filter
def clock(at: datetime) -> SafeString:
    """A time of day; the browser puts it into its reader's time zone."""
    return _time(at, "clock", f"{timezone.localtime(at):%H:%M}")


@register.filter
def since(at: datetime) -> SafeString:
    """How long ago; the browser keeps it up to date."""
    return _time(at, "since", _ago(at))


@register.filter
def moment(at: datetime) -> SafeString:
    """A date and time; the browser puts it into its reader's time zone."""
    return _time(at, "moment", f"{timezone.localtime(at):%Y-%m-%d %H:%M}")


@register.filter
def on(sentence: str, at: datetime) -> SafeString:
    """A sentence with the day in place of its {}; the browser puts it into its reader's time zone."""
    return format_html(sentence, _time(at, "day", f"{timezone.localtime(at):%Y-%m-%d}"))


@register.filter
def at(sentence: str, moment_of_it: datetime) -> SafeString:
    """A sentence with the moment in place of its {}; the browser puts it into its reader's time zone."""
    return format_html(sentence, moment(moment_of_it))


@register.filter
def used_of(sentence: str, line: Line) -> str:
    """How much of a limit is used, in the reader's way to write it."""
    return sentence.format(f"{line.used:,}", f"{line.amount:,}")


def _time(at: datetime, kind: str, text: str) -> SafeString:
    return format_html('<time datetime="{}" data-time="{}">{}</time>', at.isoformat(), kind, text)


def _ago(at: datetime) -> str:
    words, minutes = desk_words.table(), int((timezone.now() - at).total_seconds() // 60)
    if minutes < 1:
        return words["now"]
    if minutes < 60:
        return words["minutes"].format(minutes)
    if minutes < 60 * 24:
        return words["hours"].format(minutes // 60)
    return words["days"].format(minutes // (60 * 24))
