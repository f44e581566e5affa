"""The breakers all processes share."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import redis

from bot.llm.breaker import LocalBreakers, Permit, State, Thresholds

# Which circuits there are, by when they were last used.
KNOWN = "breakers"
KNOWN_SECONDS = 86_400
# One hash per circuit: open_until, probe_until, and good and bad calls by slots of a third of the window.
PERMIT = """
local opened, probed = unpack(redis.call('HMGET', KEYS[1], 'open_until', 'probe_until'))
local now, pause = tonumber(ARGV[1]), tonumber(ARGV[2])
if not opened then return 'yes' end
if now < tonumber(opened) or (probed and now < tonumber(probed)) then return 'no' end
redis.call('HSET', KEYS[1], 'probe_until', now + pause)
return 'probe'
"""
RECORD = """
local now, pause, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local good, probe = ARGV[6] == '1', ARGV[7] == '1'
local function open()
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'open_until', now + pause)
  redis.call('EXPIRE', KEYS[1], math.ceil(pause * 30))
  redis.call('ZADD', KEYS[2], now, KEYS[1])
end
if redis.call('HEXISTS', KEYS[1], 'open_until') == 1 then
  if probe and good then redis.call('DEL', KEYS[1]) elseif probe then open() end
  return
end
local slot = math.floor(now / (window / 3))
if redis.call('HINCRBY', KEYS[1], (good and 'good:' or 'bad:') .. slot, 1) == 1 then
  redis.call('ZADD', KEYS[2], now, KEYS[1])
end
redis.call('EXPIRE', KEYS[1], math.ceil(window * 2))
local all, bad = 0, 0
for back = 0, 2 do
  local counts = redis.call('HMGET', KEYS[1], 'good:' .. slot - back, 'bad:' .. slot - back)
  bad = bad + tonumber(counts[2] or 0)
  all = all + tonumber(counts[1] or 0) + tonumber(counts[2] or 0)
end
redis.call('HDEL', KEYS[1], 'good:' .. slot - 3, 'bad:' .. slot - 3)
if bad >= tonumber(ARGV[4]) and bad >= tonumber(ARGV[5]) * all then open() end
"""
TRIP = """
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'open_until', ARGV[1] + ARGV[2])
redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[2] * 30))
redis.call('ZADD', KEYS[2], ARGV[1], KEYS[1])
"""


class RedisBreakers:
    """Breakers in Redis; while it is away, what this process alone has seen."""

    def __init__(
        self,
        client: redis.Redis,
        thresholds: Thresholds | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._thresholds = thresholds or Thresholds()
        self._clock = clock
        self._local = LocalBreakers(self._thresholds, clock)
        self._client = client
        self._permit = client.register_script(PERMIT)
        self._record = client.register_script(RECORD)
        self._trip = client.register_script(TRIP)

    def permit(self, key: str) -> Permit:
        try:
            permit = self._permit([_name(key)], [self._clock(), self._thresholds.pause])
        except redis.RedisError:
            return self._local.permit(key)
        return cast(Permit, permit.decode() if isinstance(permit, bytes) else permit)

    def record(self, key: str, *, good: bool, probe: bool) -> None:
        self._local.record(key, good=good, probe=probe)
        limits = self._thresholds
        given = [self._clock(), limits.pause, limits.window, limits.failures, limits.share]
        with suppress(redis.RedisError):
            self._record([_name(key), KNOWN], [*given, int(good), int(probe)])

    def trip(self, key: str) -> None:
        self._local.trip(key)
        with suppress(redis.RedisError):
            self._trip([_name(key), KNOWN], [self._clock(), self._thresholds.long_pause])

    def state(self, key: str) -> State:
        """Whether this circuit lets calls through; half open: it waits for one to try."""
        try:
            opened = cast("bytes | None", self._client.hget(_name(key), "open_until"))
        except redis.RedisError:
            return self._local.state(key)
        if opened is None:
            return "closed"
        return "open" if self._clock() < float(opened) else "half_open"

    def keys(self) -> list[str]:
        """Every `provider:model` that any process has asked within a day."""
        try:
            self._client.zremrangebyscore(KNOWN, "-inf", self._clock() - KNOWN_SECONDS)
            names = cast("list[bytes]", self._client.zrange(KNOWN, 0, -1))
        except redis.RedisError:
            return self._local.keys()
        return sorted(name.decode().removeprefix(_name("")) for name in names)


def _name(key: str) -> str:
    return f"breaker:{key}"
