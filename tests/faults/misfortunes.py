"""What can happen to a running product; whoever does it mends it, except that nobody starts processes."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable

import psutil

from tests.faults.stage import Stage

Misfortune = Callable[[Stage, random.Random], Awaitable[None]]


async def worker_killed(stage: Stage, rng: random.Random) -> None:
    """A worker is killed."""
    await stage.do(rng.choice(stage.workers).kill)


async def worker_terminated(stage: Stage, rng: random.Random) -> None:
    """A worker is told to go."""
    worker = rng.choice(stage.workers)
    worker.send(signal.SIGTERM)
    await asyncio.to_thread(worker.wait, 40)


async def worker_stopped(stage: Stage, rng: random.Random) -> None:
    """A worker stands still until its leases have ended, and goes on."""
    worker = rng.choice(stage.workers)
    worker.send(signal.SIGSTOP)
    await asyncio.sleep(18)
    worker.send(signal.SIGCONT)


async def web_killed(stage: Stage, rng: random.Random) -> None:
    """A web process is killed."""
    await stage.do(rng.choice(stage.webs).kill)


async def web_terminated(stage: Stage, rng: random.Random) -> None:
    """A web process is told to go."""
    web = rng.choice(stage.webs)
    web.send(signal.SIGTERM)
    await asyncio.to_thread(web.wait, 40)


async def redis_emptied(stage: Stage, rng: random.Random) -> None:
    """Redis comes back empty."""
    await stage.do(stage.redis.restart_empty)


async def redis_away(stage: Stage, rng: random.Random) -> None:
    """Redis is away for some seconds."""
    stage.redis.wire.refuse()
    await asyncio.sleep(rng.uniform(1, 6))
    stage.redis.wire.accept()


async def redis_slow(stage: Stage, rng: random.Random) -> None:
    """Redis is slow for some seconds."""
    stage.redis.wire.delay = 0.5
    await asyncio.sleep(rng.uniform(3, 8))
    stage.redis.wire.delay = 0


async def redis_full(stage: Stage, rng: random.Random) -> None:
    """Redis is full for some seconds."""
    with stage.redis.client() as client:
        client.config_set("maxmemory", "1mb")
        await asyncio.sleep(rng.uniform(1, 4))
        client.config_set("maxmemory", 0)


async def subscriptions_cut(stage: Stage, rng: random.Random) -> None:
    """Nobody can listen to Redis for some seconds."""
    stage.redis.wire.deafen()
    await asyncio.sleep(rng.uniform(0, 3))
    stage.redis.wire.hear()


async def network_stuck(stage: Stage, rng: random.Random) -> None:
    """Nothing comes through to Redis or PostgreSQL for some seconds, and then all of it."""
    wire = rng.choice([stage.redis.wire, stage.postgres.wire])
    wire.freeze()
    await asyncio.sleep(rng.uniform(1, 5))
    wire.thaw()


async def postgres_restarted(stage: Stage, rng: random.Random) -> None:
    """PostgreSQL is restarted."""
    await stage.do(stage.postgres.restart)


async def postgres_crashed(stage: Stage, rng: random.Random) -> None:
    """PostgreSQL crashes."""

    def crash() -> None:
        stage.postgres.first.kill()
        stage.postgres.restart()

    await stage.do(crash)


async def postgres_away(stage: Stage, rng: random.Random) -> None:
    """PostgreSQL refuses for some seconds."""
    stage.postgres.wire.refuse()
    await asyncio.sleep(rng.uniform(1, 8))
    stage.postgres.wire.accept()


async def connections_ended(stage: Stage, rng: random.Random) -> None:
    """Every connection to PostgreSQL is ended."""
    stage.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")


async def scrubber_killed(stage: Stage, rng: random.Random) -> None:
    """A worker's scrubber is killed."""
    worker = rng.choice(stage.workers)
    for child in psutil.Process(worker.pid).children():
        child.kill()


MISFORTUNES: list[Misfortune] = [
    worker_killed,
    worker_terminated,
    worker_stopped,
    web_killed,
    web_terminated,
    redis_emptied,
    redis_away,
    redis_slow,
    redis_full,
    subscriptions_cut,
    network_stuck,
    postgres_restarted,
    postgres_crashed,
    postgres_away,
    connections_ended,
    scrubber_killed,
]
