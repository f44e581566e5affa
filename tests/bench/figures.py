"""Figures beside what the design wants to reach."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from math import inf
from typing import NamedTuple

import psycopg

from tests.bench.customers import Turn
from tests.bench.product import Product


class Row(NamedTuple):
    name: str
    value: str
    reach: str = ""


@dataclass
class Measured:
    """One measurement; something `lost` fails the run."""

    title: str
    rows: list[Row]
    lost: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = ["", self.title]
        lines += [f"  {name:42}{value:>14}   {reach}".rstrip() for name, value, reach in self.rows]
        return "\n".join([*lines, *(f"  LOST: {what}" for what in self.lost)])


def lost(product: Product, turns: Iterable[Turn]) -> list[str]:
    """Turns without a final, and replies that are not what was shown, or not what is stored."""
    stored = _stored_replies(product)
    found = []
    for turn in turns:
        if turn.reply is None:
            found.append(f"the final of turn {turn.id or '(not accepted)'}")
        elif differences := _differences(turn.shown, turn.reply):
            found.append(f"{differences} characters on the screen of turn {turn.id}")
        elif differences := _differences(stored.get(turn.id, ""), turn.reply):
            found.append(f"{differences} characters of the stored reply of turn {turn.id}")
    return found


def _stored_replies(product: Product) -> dict[str, str]:
    with psycopg.connect(product.urls.database) as database:
        rows = database.execute("SELECT turn_id, masked FROM bot_message WHERE author = 'bot'").fetchall()
    return {str(turn): masked for turn, masked in rows}


def _differences(one: str, other: str) -> int:
    return sum(a != b for a, b in zip_longest(one, other))


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < inf else "never"


def percentile(times: Sequence[float], share: float) -> float:
    """Nearest rank; nan of nothing."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
