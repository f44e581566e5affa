"""A day's costs as the mail shows them: rounded, shortened, and drawn."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from bot.desk import budget_names
from bot.desk.budget import Budget
from bot.desk.costs import NONE, Costs, Line
from bot.desk.dollars import dollars
from bot.desk.said import address
from bot.models import Alert

# So many rows a table has; what is more is one row.
_ROWS = 8
# Of the picture: pixels in HTML, characters in text.
_TALLEST = 88
_WIDEST = 32


@dataclass(frozen=True)
class Bar:
    """One day of the picture."""

    day: date
    cost: str
    height: int
    cells: range


@dataclass(frozen=True)
class Row:
    """One line of a table; `percent` of the day's cost."""

    name: str
    about: str
    calls: str
    tokens: str
    cost: str
    percent: int


@dataclass(frozen=True)
class Gauge:
    """One budget; `filled` is how much of its bar is, in percent."""

    name: str
    used: str
    amount: str
    percent: int
    filled: int
    ends: str


def title(told: Costs) -> str:
    return f"{dollars(told.whole.cost)} on {told.day:%A, %-d %B %Y}"


def facts(told: Costs) -> dict[str, Any]:
    """What the templates name."""
    whole = told.whole.cost
    return {
        "told": told,
        "title": title(told),
        "cost": dollars(whole),
        "each": dollars(whole / told.ends.messages) if told.ends.messages else "",
        "usual": usual(told),
        "told_of": told_of(told),
        "bars": bars(told.days),
        "most": dollars(max(cost for _, cost in told.days)),
        "month": dollars(told.month),
        "gauges": [gauge(one) for one in told.budgets],
        "tables": [
            ("By model", rows(told.models, whole)),
            ("By tier", rows(told.tiers, whole)),
            ("By site", rows(told.sites, whole)),
        ],
        "open": Alert.objects.filter(over_at=None).count(),
        "alerts": address("bot_alert"),
        "calls": address("accounts_usageentry"),
        "settings": address("accounts_deployment"),
    }


def told_of(told: Costs) -> list[tuple[str, str, str]]:
    """What is told beside the money: a label, a number, and what it means where that is not plain."""
    ends, rounds = told.ends, told.whole
    lines = [
        ("Messages", ends.messages, ""),
        ("Upstream calls", rounds.calls, f"{rounds.input:,} tokens read, {rounds.output:,} written"),
        ("A cheaper class answered", ends.stepped_down, "because a limit was full, or nearly so"),
        ("Refused by a limit", ends.refused, "answered without a model, or cut short"),
        (
            "Otherwise answered without a model",
            ends.without_model,
            "none was to be had, or a ceiling was reached",
        ),
        ("Failed", ends.failed, ""),
        ("Calls without a known price", told.unpriced, "not in the sum"),
    ]
    always = ("Messages", "Upstream calls", "Refused by a limit")
    shown = [(label, f"{count:,}", note) for label, count, note in lines if count or label in always]
    if not rounds.cost:
        return shown
    exact = 100 - _percent(told.estimated, rounds.cost)
    return [*shown, ("Counted by the provider", f"{exact} %", "of the cost; Frontdesk estimated the rest")]


def usual(told: Costs) -> str:
    """Against the median of the days before; empty where that is nothing."""
    middle = median(cost for _, cost in told.days[:-1])
    if not middle:
        return ""
    change = round(100 * (told.whole.cost - middle) / middle)
    if change > 200:
        return f"{told.whole.cost / middle:.1f} times the usual {dollars(middle)}"
    if not change:
        return f"as usual, {dollars(middle)}"
    return f"{abs(change)} % {'more' if change > 0 else 'less'} than the usual {dollars(middle)}"


def bars(days: list[tuple[date, Decimal]]) -> list[Bar]:
    """As tall as the day was dear; what cost anything is seen."""
    most = max(cost for _, cost in days) or Decimal(1)
    return [
        Bar(day, dollars(cost), _long(cost / most, _TALLEST), range(_long(cost / most, _WIDEST)))
        for day, cost in days
    ]


def rows(lines: list[Line], whole: Decimal) -> list[Row]:
    """The dearest, and the others as one."""
    shown = lines if len(lines) <= _ROWS else [*lines[: _ROWS - 1], _together(lines[_ROWS - 1 :])]
    return [_row(line, whole) for line in shown]


def _row(line: Line, whole: Decimal) -> Row:
    tokens = f"{_short(line.input)} / {_short(line.output)}"
    return Row(
        line.name, line.about, f"{line.calls:,}", tokens, dollars(line.cost), _percent(line.cost, whole)
    )


def gauge(one: Budget) -> Gauge:
    return Gauge(
        name=budget_names.name(one.limit),
        used=dollars(one.used),
        amount=dollars(one.limit.amount),
        percent=int(one.percent),
        filled=min(100, int(one.percent)),
        ends=f"{one.ends_at.astimezone(ZoneInfo(one.rule.zone)):%a %-d %B, %H:%M}" if one.ends_at else "",
    )


def _together(lines: Iterable[Line]) -> Line:
    lines = list(lines)
    return Line(
        f"{len(lines)} others",
        "",
        sum(line.calls for line in lines),
        sum(line.input for line in lines),
        sum(line.output for line in lines),
        sum((line.cost for line in lines), NONE),
    )


def _percent(part: Decimal, whole: Decimal) -> int:
    return round(100 * part / whole) if whole else 0


def _long(share: Decimal, most: int) -> int:
    return max(1, round(share * most)) if share else 0


def _short(count: int) -> str:
    """950, 12.3 k, 4.1 M."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            return f"{count / size:.1f} {letter}"
    return str(count)
