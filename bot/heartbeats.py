"""Which workers live, and how much each can do at once: they say so themselves every five seconds."""

import json
from dataclasses import dataclass
from typing import cast

from bot import metrics

WORKERS = "fd:workers"
FRESH_SECONDS = 15
FORGET_SECONDS = 3600

# Stamped by Redis' own clock: those of the hosts may differ.
_BEAT = """
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode({
  at = tonumber(redis.call('TIME')[1]), slots = tonumber(ARGV[2]), busy = tonumber(ARGV[3])}))
"""


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker process: its host and process id, how many turns it works on, and how many it could."""

    name: str
    slots: int
    busy: int


def beat(slots: int = 0, busy: int = 0) -> None:
    """This worker lives. Raises RedisError."""
    metrics.client().eval(_BEAT, 1, WORKERS, metrics.process(), str(slots), str(busy))


def stop() -> None:
    """This worker leaves, and is not waited for. Raises RedisError."""
    metrics.client().hdel(WORKERS, metrics.process())


def workers() -> list[Worker]:
    """Those that have beaten within the last 15 seconds, by name. Raises RedisError."""
    pipe = metrics.client().pipeline(transaction=False)
    pipe.time()
    pipe.hgetall(WORKERS)
    (now, _), beats = cast("tuple[tuple[int, int], dict[bytes, bytes]]", tuple(pipe.execute()))
    alive = []
    for name, body in sorted(beats.items()):
        last = json.loads(body)
        if now - last["at"] > FORGET_SECONDS:
            metrics.client().hdel(WORKERS, name)
        elif now - last["at"] <= FRESH_SECONDS:
            alive.append(Worker(name.decode(), last["slots"], last["busy"]))
    return alive


def slots() -> int:
    """How many turns can be worked on at once. Raises RedisError."""
    return sum(worker.slots for worker in workers())
