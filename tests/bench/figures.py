"""A run's figures beside what the design wants to reach."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

import psycopg

from tests.bench.customers import Turn
from tests.bench.meters import Reading
from tests.bench.product import Product, Speed

# By conversations at once, as the design has it.
REACH = {
    25: {
        "first text p50": "≤ 25 ms",
        "first text p95": "≤ 60 ms",
        "accepted p95": "≤ 20 ms",
        "CPU per turn, all": "≤ 20 ms",
    },
    100: {"first text p50": "≤ 240 ms", "turns per second": "≥ 80"},
}


@dataclass(frozen=True)
class Run:
    """What was measured; `stored` are the replies in the database, by turn."""

    conversations: list[list[Turn]]
    before: Reading
    after: Reading
    speed: Speed
    load: float
    stored: dict[str, str]

    @property
    def turns(self) -> list[Turn]:
        return [turn for conversation in self.conversations for turn in conversation]

    @property
    def finals_lost(self) -> int:
        return sum(turn.reply is None for turn in self.turns)

    @property
    def characters_lost(self) -> int:
        """Differences between what was shown, what `final` said, and what is stored."""
        return sum(
            _differences(turn.shown, turn.reply) + _differences(self.stored.get(turn.id, ""), turn.reply)
            for turn in self.turns
            if turn.reply is not None
        )

    @property
    def per_second(self) -> float:
        """While all conversations were under way: without the slow beginning and end."""
        begin = max(conversation[0].sent for conversation in self.conversations)
        end = min(conversation[-1].ended or begin for conversation in self.conversations)
        ended = sum(begin < turn.ended <= end for turn in self.turns if turn.ended)
        return ended / (end - begin) if end > begin else 0.0


def stored_replies(product: Product) -> dict[str, str]:
    with psycopg.connect(product.urls.database) as database:
        rows = database.execute("SELECT turn_id, masked FROM bot_message WHERE author = 'bot'").fetchall()
    return {str(turn): masked for turn, masked in rows}


def _differences(one: str, other: str) -> int:
    return sum(a != b for a, b in zip_longest(one, other))


def table(run: Run) -> str:
    reach = REACH.get(len(run.conversations), {})
    lines = [
        "",
        f"{len(run.conversations)} conversations at once, {len(run.conversations[0])} turns each after one to"
        f" warm up; load average at the start {run.load:.1f} (a quiet machine: below 0.5)",
        f"Model: first token after {run.speed.first_token * 1000:.0f} ms, then one every"
        f" {run.speed.pace * 1000:.0f} ms, {run.speed.tokens} in all. First text = text shown, after the"
        " message was sent, less those fixed milliseconds.",
        "",
        f"{'':36}{'measured':>12}   reach",
    ]
    lines += [f"{name:36}{value:>12}   {reach.get(name, '')}".rstrip() for name, value in _rows(run)]
    return "\n".join(lines)


def _rows(run: Run) -> Iterable[tuple[str, str]]:
    turns = run.turns
    accepted = [turn.accepted - turn.sent for turn in turns if turn.accepted]
    first = [turn.first_text - turn.sent - run.speed.first_token for turn in turns if turn.first_text]
    for name, times in (("accepted", accepted), ("first text", first)):
        yield f"{name} p50", _milliseconds(_percentile(times, 0.5))
        yield f"{name} p95", _milliseconds(_percentile(times, 0.95))
    yield "turns per second", f"{run.per_second:.1f}"
    used = {name: run.after.cpu[name] - run.before.cpu[name] for name in run.after.cpu}
    for name, seconds in used.items():
        yield f"CPU per turn, {name}", _milliseconds(seconds / len(turns))
    yield "CPU per turn, all", _milliseconds(sum(used.values()) / len(turns))
    transactions = run.after.transactions - run.before.transactions
    yield "database transactions per turn", f"{transactions / len(turns):.1f}"
    yield "Redis commands per turn", f"{(run.after.commands - run.before.commands) / len(turns):.1f}"
    yield "answered by the model", f"{sum(turn.outcome == 'answered' for turn in turns)} of {len(turns)}"
    yield "finals lost", str(run.finals_lost)
    yield "characters lost", str(run.characters_lost)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def _percentile(times: list[float], share: float) -> float:
    """Nearest rank; nan of nothing."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
