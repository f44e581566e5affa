"""Many conversations at once against the whole product and a model of known speed.

1. Give every conversation some turns to warm up. 2. Read the meters, let all talk, read the meters again.
"""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench import customers, figures, meters
from tests.bench.customers import Turn
from tests.bench.figures import Measured, Row, milliseconds, percentile
from tests.bench.meters import Reading
from tests.bench.product import Product, Setting, Speed, running

# By conversations at once, as the design has it.
REACH = {
    25: {
        "first text p50": "≤ 25 ms",
        "first text p95": "≤ 60 ms",
        "accepted p95": "≤ 20 ms",
        "CPU per turn, all": "≤ 20 ms",
    },
    100: {"first text p50": "≤ 240 ms", "finished turns per second": "≥ 80"},
}


@dataclass(frozen=True)
class Plan:
    """How much is said: turns of each conversation, after some to warm up."""

    turns: int
    warm_up: int
    speed: Speed
    by_step: bool
    workers: int = 1


@dataclass(frozen=True)
class Run:
    conversations: list[list[Turn]]
    before: Reading
    after: Reading

    @property
    def turns(self) -> list[Turn]:
        return [turn for conversation in self.conversations for turn in conversation]

    @property
    def per_second(self) -> float:
        """While all conversations were under way: without the slow beginning and end."""
        begin = max(conversation[0].sent for conversation in self.conversations)
        end = min(conversation[-1].ended or begin for conversation in self.conversations)
        ended = sum(begin < turn.ended <= end for turn in self.turns if turn.ended)
        return ended / (end - begin) if end > begin else 0.0


def measure(conversations: int, plan: Plan) -> Measured:
    load = os.getloadavg()[0]
    slots = conversations // plan.workers + 2
    setting = Setting(plan.speed, slots, plan.workers, by_step=plan.by_step)
    with running(setting) as it:
        run = asyncio.run(_talk(it, conversations, plan))
        lost = figures.lost(it, run.turns)
    title = (
        f"{conversations} conversations at once, {plan.turns} turns each after {plan.warm_up} to warm up;"
        f" workers × places: {plan.workers} × {slots}; load average at the start {load:.1f}"
    )
    reach = REACH.get(conversations, {})
    return Measured(title, [Row(*row, reach.get(row[0], "")) for row in _rows(run, plan.speed)], lost)


async def _talk(product: Product, conversations: int, plan: Plan) -> Run:
    go = asyncio.Barrier(conversations + 1)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_one(product, number, plan, go)) for number in range(conversations)]
        await go.wait()
        await asyncio.sleep(meters.SETTLE_SECONDS)
        before = meters.read(product, by_step=plan.by_step)
        await go.wait()
    await asyncio.sleep(meters.SETTLE_SECONDS)
    return Run([task.result() for task in tasks], before, meters.read(product, by_step=plan.by_step))


async def _one(product: Product, number: int, plan: Plan, go: asyncio.Barrier) -> list[Turn]:
    """One conversation; they begin spread over one answer's length."""
    async with customers.arriving(product, number) as customer:
        for _ in range(plan.warm_up):
            await customer.say(customers.HELLO)
        await go.wait()  # all are warm
        await go.wait()  # the meters are read
        await asyncio.sleep(plan.speed.answer_seconds * number / go.parties)
        said = customers.SAID
        return [await customer.say(said[index % len(said)]) for index in range(plan.turns)]


def _rows(run: Run, speed: Speed) -> Iterator[tuple[str, str]]:
    turns = run.turns
    accepted = [turn.accepted - turn.sent for turn in turns if turn.accepted]
    first = [turn.first_text - turn.sent - speed.first_token for turn in turns if turn.first_text]
    for name, times in (("accepted", accepted), ("first text", first)):
        yield f"{name} p50", milliseconds(percentile(times, 0.5))
        yield f"{name} p95", milliseconds(percentile(times, 0.95))
    yield "finished turns per second", f"{run.per_second:.1f}"
    used = {name: run.after.cpu[name] - run.before.cpu[name] for name in run.after.cpu}
    for name, seconds in used.items():
        yield f"CPU per turn, {name}", milliseconds(seconds / len(turns))
    yield "CPU per turn, all", milliseconds(sum(used.values()) / len(turns))
    steps = {name: run.after.steps[name] - run.before.steps.get(name, 0) for name in run.after.steps}
    for name, seconds in sorted(steps.items(), key=lambda step: -step[1]):
        yield f"  of the worker's: {name}", milliseconds(seconds / len(turns))
    transactions = run.after.transactions - run.before.transactions
    yield "database transactions per turn", f"{transactions / len(turns):.1f}"
    yield "Redis commands per turn", f"{(run.after.commands - run.before.commands) / len(turns):.1f}"
    yield "answered by the model", f"{sum(turn.outcome == 'answered' for turn in turns)} of {len(turns)}"
