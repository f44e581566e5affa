"""How prices are written on the admin's pages."""

from decimal import Decimal

from django import template

from accounts.limit_sentences import plain
from accounts.prices import Rates
from bot import price_list
from bot.models import Price

register = template.Library()


@register.filter
def rates(one: Rates) -> str:
    """$0.15 / $0.075 / $0.6, and what each call costs beside."""
    said = " / ".join(_dollars(rate) for rate in (one.input, one.cached, one.output))
    return f"{said} + ${plain(one.call)} a call" if one.call else said


@register.filter
def planned(price: Price) -> str:
    """What calls will be charged by."""
    by = price_list.rates_by(price)
    return rates(by) if by else ""


def _dollars(rate: Decimal | None) -> str:
    return "unknown" if rate is None else f"${plain(rate)}"
