"""What our processes have used so far."""

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
    transactions: int
    commands: int


def read(product: Product) -> Reading:
    cpu = {name: sum(map(_seconds, family)) for name, family in product.processes.items()}
    cpu["worker"] -= cpu["detector"]
    with psycopg.connect(product.urls.database) as database:
        row = database.execute(
            "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    with redis.Redis.from_url(product.urls.redis) as client:
        commands = client.info("stats")["total_commands_processed"]
    return Reading(cpu, row[0] if row else 0, commands)


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
