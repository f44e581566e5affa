"""The breakers all processes share."""

import time
from collections.abc import Callable
from typing import cast

import redis

from bot.llm.breaker import LocalBreakers, Permit, Thresholds

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
end
if redis.call('HEXISTS', KEYS[1], 'open_until') == 1 then
  if probe and good then redis.call('DEL', KEYS[1]) elseif probe then open() end
  return
end
local slot = math.floor(now / (window / 3))
redis.call('HINCRBY', KEYS[1], (good and 'good:' or 'bad:') .. slot, 1)
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
        self._permit = client.register_script(PERMIT)
        self._record = client.register_script(RECORD)

    def permit(self, key: str) -> Permit:
        try:
            permit = self._permit([f"breaker:{key}"], [self._clock(), self._thresholds.pause])
        except redis.RedisError:
            return self._local.permit(key)
        return cast(Permit, permit.decode() if isinstance(permit, bytes) else permit)

    def record(self, key: str, *, good: bool, probe: bool) -> None:
        self._local.record(key, good=good, probe=probe)
        limits = self._thresholds
        given = [self._clock(), limits.pause, limits.window, limits.failures, limits.share]
        try:
            self._record([f"breaker:{key}"], [*given, int(good), int(probe)])
        except redis.RedisError:
            return
