"""An export as a page to read, keep and print: one file, without scripts, in the customer's language."""

from typing import Any

from django.template.loader import render_to_string

from bot.rights import words


def html(data: dict[str, Any]) -> str:
    """`data` as `export.of` gives it."""
    locale = data["customer"]["language"]
    facts = {"data": data, "w": words.table(locale), "lang": "zh-Hans" if locale == "zh" else "en"}
    return render_to_string("rights/export.html", facts)
