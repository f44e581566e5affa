"""Numbers as the admin's pages say them."""

from decimal import Decimal

from django import template

from accounts import prices
from accounts.models import Limit
from bot import limit_pages

register = template.Library()
_MILLIONTH = Decimal("0.000001")


@register.filter
def count(number: int | Decimal) -> str:
    """With commas."""
    return f"{number:,}"


@register.filter
def dollars(amount: Decimal) -> str:
    """To the cent, with a sign where it is less than nothing."""
    said = limit_pages.shortly(Limit.Metric.MONEY, abs(amount))
    return f"−{said}" if amount < 0 else said


@register.filter
def change(number: int) -> str:
    """By how much something is more: +3, −3, or 0."""
    return f"−{-number:,}" if number < 0 else f"+{number:,}" if number else "0"


@register.filter
def share(part: Decimal | int, whole: Decimal | int) -> str:
    """In percent; 0% of nothing."""
    return f"{Decimal(part) * 100 / Decimal(whole):.2f}" if whole else "0"


@register.filter
def whole(number: Decimal) -> str:
    """Without parts."""
    return f"{number:,.0f}"


@register.filter
def fine_dollars(amount: Decimal) -> str:
    """What a single question costs: to a millionth of a dollar."""
    return (
        f"${prices.plain(amount.quantize(_MILLIONTH))}"
        if amount >= _MILLIONTH
        else f"${prices.plain(amount)}"
    )
