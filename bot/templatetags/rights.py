"""How an export is written on its page."""

import json
from datetime import datetime
from typing import Any

from django import template

register = template.Library()


@register.filter
def moment(at: str | None) -> str:
    """An ISO time, to the minute, in UTC as it is kept."""
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M} UTC" if at else ""


@register.filter
def word(name: str, words: dict[str, str]) -> str:
    """What a code is called; itself where nobody has named it."""
    return words.get(name) or name.partition("_")[2] or name


@register.filter
def filled(sentence: str, value: Any) -> str:
    return sentence.format(value)


@register.filter
def pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
