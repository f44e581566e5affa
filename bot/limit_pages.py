"""How far limits are used, as the admin's pages show it."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts import live_usage
from accounts.limit_sentences import amount
from accounts.live_usage import Bar
from accounts.models import Limit
from bot.desk.dollars import two_digits

_CENT = Decimal("0.01")
_FULL, _NEAR = 100, 80


def usage(limit: Limit, zone: str) -> SafeString:
    """A bar of the present window, or how many customers have used how much of theirs."""
    use = live_usage.of(limit, zone=zone)
    if isinstance(use, Bar):
        return bar(use, limit.metric, zone)
    of_address = limit.scope == Limit.Scope.ADDRESS
    one, many = ("address", "addresses") if of_address else ("customer", "customers")
    counts = {name: f"{count:,}" for name, count in asdict(use).items()}
    whom = f"{one} has" if use.counted == 1 else f"{many} have"
    facts = {**counts, "whom": whom, "many": many, "none": not use.counted, "some_out": use.full}
    return SafeString(render_to_string("admin/limit_spread.html", facts))


def bar(use: Bar, metric: str, zone: str) -> SafeString:
    """How far one window is used."""
    return SafeString(render_to_string("admin/limit_bar.html", _bar(use, metric, zone)))


def shortly(metric: str, number: Decimal) -> str:
    """Money to the cent, less than one by two digits, and tokens without parts."""
    if metric != Limit.Metric.MONEY:
        return amount(metric, number.quantize(Decimal(1)))
    if 0 < number < _CENT:
        return f"${two_digits(number)}"
    return f"${number:,.2f}" if number else "$0"


def _bar(use: Bar, metric: str, zone: str) -> dict[str, object]:
    level = "full" if use.percent >= _FULL else "near" if use.percent >= _NEAR else "room"
    return {
        "used": shortly(metric, use.settled),
        "held": shortly(metric, use.held) if use.held else "",
        "amount": amount(metric, use.amount),
        "percent": use.percent,
        "settled_width": _width(use.settled, use.amount),
        "held_width": _width(use.held, use.amount),
        "marks": [percent for percent in use.warn_at if percent < _FULL],
        "level": level,
        "resets": _moment(use.resets_at, zone),
    }


def _width(part: Decimal, whole: Decimal) -> str:
    return f"{min(Decimal(100), part * 100 / whole):.2f}" if whole else "0"


def _moment(at: datetime | None, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} {zone}" if at else ""
