"""Words and dates in the visitor's language, for the shop's templates."""

from datetime import date
from typing import Any

from django import template

from demo import wording

register = template.Library()


@register.simple_tag(takes_context=True)
def say(context: dict[str, Any], key: str, **values: object) -> str:
    """`{% say "placed" date=order.placed_on %}`: one of the shop's words, its dates written out."""
    locale = context["locale"]
    shown = {
        name: wording.date_in(locale, value) if isinstance(value, date) else value
        for name, value in values.items()
    }
    return wording.say(locale, key, **shown)


@register.simple_tag(takes_context=True)
def text(context: dict[str, Any], item: object, field: str) -> str:
    """`{% text product "title" %}`: a field in the visitor's language."""
    return str(getattr(item, f"{field}_zh" if context["locale"] == "zh" else field))
