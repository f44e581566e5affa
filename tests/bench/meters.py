"""What our processes have used so far."""

import json
import signal
import time
from contextlib import suppress
from dataclasses import dataclass

import psutil
import psycopg
import redis

from tests.bench.product import Product

SETTLE_SECONDS = 1.5  # PostgreSQL's backends report their counts after at most one second


@dataclass(frozen=True)
class Reading:
    cpu: dict[str, float]  # seconds, by process
    steps: dict[str, float]  # seconds, by step of a turn
    transactions: int
    commands: int


def read(product: Product, *, by_step: bool) -> Reading:
    cpu = {name: sum(map(_seconds, family)) for name, family in product.processes.items()}
    # The detector is a child of the worker, and counted by itself.
    cpu["worker"] -= cpu["detector"]
    with psycopg.connect(product.urls.database) as database:
        row = database.execute(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    with redis.Redis.from_url(product.urls.redis) as client:
        commands = client.info("stats")["total_commands_processed"]
    return Reading(cpu, _steps(product) if by_step else {}, row[0] if row else 0, commands)


def _steps(product: Product) -> dict[str, float]:
    """Ask the worker what it has noted: see steps.py."""
    product.steps.unlink(missing_ok=True)
    product.workers[0].send(signal.SIGUSR2)
    while not product.steps.exists():
        time.sleep(0.05)
    return dict(json.loads(product.steps.read_text()))


def _seconds(process: psutil.Process) -> float:
    """CPU of a process, of its children at work, and of those that have ended."""
    times = process.cpu_times()
    ended = times.children_user + times.children_system
    return float(times.user + times.system + ended + sum(map(_own_seconds, process.children())))


def _own_seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0
