"""Killing a worker in the middle of an answer: how long until the reply is complete."""

import asyncio
import os
import signal
import time

import psutil

from tests.bench import customers, figures
from tests.bench.customers import Turn
from tests.bench.figures import Measured, Row, percentile
from tests.bench.product import Product, Setting, Speed, running

TIMES = 3


def measure() -> Measured:
    """Two workers; the one that streams is killed as its text appears, and started again afterwards."""
    setting = Setting(Speed(tokens=60), workers=2)
    with running(setting) as it:
        seen = asyncio.run(_all(it))
        lost = figures.lost(it, [turn for _, turn in seen])
    seconds = [turn.sent + turn.seconds - killed for killed, turn in seen]
    title = f"kill -9 of a worker in mid-answer, {TIMES} times, two workers; the answer takes 1.4 s"
    rows = [Row("reply complete, median", f"{percentile(seconds, 0.5):.1f} s")]
    rows.append(Row("reply complete, longest", f"{max(seconds):.1f} s", "≤ 20 s"))
    return Measured(title, rows, lost)


async def _all(product: Product) -> list[tuple[float, Turn]]:
    """When the worker was killed, and what the customer saw."""
    async with customers.arriving(product, 0) as customer:
        await customer.say(customers.HELLO)
        seen = []
        for number in range(TIMES):
            shown = asyncio.Event()
            saying = asyncio.create_task(customer.say(customers.SAID[number], shown))
            await shown.wait()
            killed = _kill_who_streams(product)
            seen.append((killed, await saying))
            await asyncio.to_thread(_start_again, product)
        return seen


def _kill_who_streams(product: Product) -> float:
    for worker in product.workers:
        connections = psutil.Process(worker.pid).net_connections("tcp")
        if any(
            c.raddr and c.raddr.port == product.model_port and c.status == "ESTABLISHED" for c in connections
        ):
            os.kill(worker.pid, signal.SIGKILL)
            return time.perf_counter()
    raise SystemExit("No worker streams")


def _start_again(product: Product) -> None:
    """So that the next answer, too, finds two workers that have not answered before."""
    for worker in product.workers:
        worker.stop()
        worker.start()
