"""A provider's usage export, a CSV file: what it says was used, by day and model. Knows no database.

Columns are found by their names, in any order; others are passed over. Understood are
- OpenAI's export of usage: start_time_iso or start_time, model, input_tokens, input_cached_tokens,
  output_tokens, num_model_requests;
- its export of costs by line item: start_time_iso, line_item, amount_value, amount_currency;
- the general form: date, model, input_tokens, cached_tokens, output_tokens, requests, cost.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

# What a column may be called, the surest name first.
COLUMNS = {
    "day": ("date", "day", "usage_date", "start_time_iso", "start_time", "timestamp"),
    "model": ("model", "model_name", "line_item"),
    "input": ("input_tokens", "prompt_tokens"),
    "cached": ("cached_tokens", "input_cached_tokens", "cached_input_tokens"),
    "output": ("output_tokens", "completion_tokens"),
    "requests": ("requests", "num_model_requests", "num_requests"),
    "cost": ("cost", "cost_usd", "amount_value"),
}
MEASURES = ("input", "cached", "output", "requests", "cost")
_CURRENCIES = ("currency", "amount_currency")

Used: TypeAlias = dict[str, Decimal]
ByDayAndModel: TypeAlias = dict[tuple[date, str], Used]


class BadExport(Exception):
    """The file cannot be read; says where and why."""


@dataclass
class Export:
    """What a file says; `measures` are those it has columns for."""

    measures: list[str]
    used: ByDayAndModel = field(default_factory=dict)
    # By how much its days begin before those of UTC.
    offset: timedelta = timedelta()


def read(lines: Iterable[str]) -> Export:
    """Add up an export's rows by day and model; raises BadExport."""
    rows = _rows(iter(lines))
    number, header = next(rows, (1, []))
    places = _places(header)
    export = Export([name for name in MEASURES if name in places])
    used: ByDayAndModel = defaultdict(lambda: dict.fromkeys(export.measures, Decimal(0)))
    offsets: dict[timedelta, int] = {}
    for number, row in rows:
        if len(row) != len(header):
            raise BadExport(f"line {number} has {len(row)} fields, the header has {len(header)}")
        try:
            _add(used, offsets, places, row, number)
        except ValueError as error:
            raise BadExport(f"line {number}: {error}") from error
    if not used:
        raise BadExport("the file has no rows with usage")
    if len(offsets) > 1:
        first, other = sorted(offsets.values())[:2]
        raise BadExport(f"line {other}: days begin at another hour than in line {first}; export in UTC")
    export.used, export.offset = dict(used), next(iter(offsets))
    return export


def _rows(lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of their line, without those that are empty."""
    first = next(lines, "").lstrip("\ufeff")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(_joined(first, lines), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise BadExport(f"line {reader.line_num}: {error}") from error


def _joined(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _places(header: list[str]) -> dict[str, int]:
    """In which column what stands."""
    names = {name.lower().replace(" ", "_").replace("-", "_"): place for place, name in enumerate(header)}
    found = {
        what: next(names[name] for name in spelled if name in names)
        for what, spelled in COLUMNS.items()
        if any(name in names for name in spelled)
    }
    for what in ("day", "model"):
        if what not in found:
            raise BadExport(f"line 1: no column of the {what}; one must be called {_or(COLUMNS[what])}")
    if not any(what in found for what in MEASURES):
        raise BadExport("line 1: no column of tokens, requests or cost")
    for name in _CURRENCIES:
        if name in names:
            found["currency"] = names[name]
    return found


def _add(
    used: ByDayAndModel, offsets: dict[timedelta, int], places: dict[str, int], row: list[str], number: int
) -> None:
    """Count a row; one that says nothing was used names no model, and is passed over."""
    counts = {what: _number(what, row[places[what]]) for what in MEASURES if what in places}
    if not any(counts.values()):
        return
    if counts.get("cost") and "currency" in places and row[places["currency"]].lower() != "usd":
        raise ValueError(f"costs are in {row[places['currency']] or 'no currency'}, not in USD")
    model = row[places["model"]].split(",")[0].strip()
    if not model:
        raise ValueError("names no model; export grouped by model, or costs by line item")
    day, offset = _day(row[places["day"]])
    offsets.setdefault(offset, number)
    for what, count in counts.items():
        used[day, model][what] += count


def _number(what: str, text: str) -> Decimal:
    text = text.removeprefix("$") if what == "cost" else text
    try:
        number = Decimal(text or 0)
    except InvalidOperation:
        raise ValueError(f"{what} is {text!r}, not a number") from None
    if not number.is_finite() or number < 0 or (what != "cost" and number != int(number)):
        raise ValueError(f"{what} is {text}, which nobody can have used")
    return number


def _day(text: str) -> tuple[date, timedelta]:
    """The day that a date, a time or seconds since 1970 name, and by how much it begins before UTC's."""
    try:
        moment = (
            datetime.fromtimestamp(int(text), UTC)
            if text.isdigit() and len(text) > 8
            else datetime.fromisoformat(text)
        )
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"the day is {text!r}; write it as 2026-06-01") from None
    return moment.date(), moment.utcoffset() or timedelta()


def _or(names: tuple[str, ...]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1]
