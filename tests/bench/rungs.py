"""Answers without a model: from a prepared reply, and while no model can be reached."""

import asyncio

from tests.bench import customers, figures
from tests.bench.customers import Turn
from tests.bench.figures import Measured, Row, milliseconds, percentile
from tests.bench.product import Product, Setting, Speed, running

CUSTOMERS, TURNS, WARM_UP = 5, 8, 3
PREPARED = "What are your opening hours?"  # see prepared.py


def canned() -> Measured:
    setting = Setting(Speed(), prepare="tests.bench.prepared")
    return _measure("Answer from a prepared reply", setting, PREPARED, "answered", "canned", "≤ 150 ms")


def degraded() -> Measured:
    """The turns to warm up open the breaker: nobody listens where the model should be."""
    said = customers.SAID[0]
    return _measure("Degraded reply, breaker open", Setting(), said, "degraded", "promise", "≤ 300 ms")


def _measure(title: str, setting: Setting, said: str, outcome: str, source: str, reach: str) -> Measured:
    with running(setting) as it:
        turns = asyncio.run(_all(it, said))
        lost = figures.lost(it, turns)
    lost += [
        f"turn {turn.id} was {turn.outcome} from {turn.source}, not {outcome} from {source}"
        for turn in turns
        if (turn.outcome, turn.source) != (outcome, source)
    ]
    times = [turn.seconds for turn in turns]
    rows = [Row("p50", milliseconds(percentile(times, 0.5)))]
    rows.append(Row("p95", milliseconds(percentile(times, 0.95)), reach))
    return Measured(f"{title}: message to final, {CUSTOMERS} customers at once", rows, lost)


async def _all(product: Product, said: str) -> list[Turn]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_one(product, number, said)) for number in range(CUSTOMERS)]
    return [turn for task in tasks for turn in task.result()]


async def _one(product: Product, number: int, said: str) -> list[Turn]:
    async with customers.arriving(product, number) as customer:
        for _ in range(WARM_UP):
            await customer.say(said)
        return [await customer.say(said) for _ in range(TURNS)]
