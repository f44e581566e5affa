"""The streams of all processes, counted together."""

import time
from collections.abc import Callable
from contextlib import suppress

import redis

from bot.llm.ceiling import LocalPlaces

# One sorted set per provider: places by when they end if nobody gives them back.
TAKE = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[1] + ARGV[4], ARGV[3])
local kept = math.ceil(ARGV[4]) + 1
if redis.call('TTL', KEYS[1]) < kept then redis.call('EXPIRE', KEYS[1], kept) end
return 1
"""


class RedisPlaces:
    """Places in Redis; while it is away, this process counts its own streams."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._local = LocalPlaces()
        self._take = client.register_script(TAKE)

    def take(self, name: str, limit: int, place: str, seconds: float) -> bool:
        # Of the limit for all, this process never has more: what counts when Redis goes away in the middle.
        if not self._local.take(name, limit, place, seconds):
            return False
        try:
            taken = bool(self._take([_name(name)], [self._clock(), limit, place, seconds]))
        except redis.RedisError:
            return True
        if not taken:
            self._local.give_back(name, place)
        return taken

    def give_back(self, name: str, place: str) -> None:
        self._local.give_back(name, place)
        with suppress(redis.RedisError):
            self._client.zrem(_name(name), place)


def _name(provider: str) -> str:
    return f"streams:{provider}"
