"""Counting what somebody does, against a limit: in Redis for all processes, here alone while it is away."""

import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.conf import settings
from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import RateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError
from redis.retry import Retry

REDIS_SECONDS = 1
# So long nobody waits again for a Redis that was away.
AWAY_SECONDS = 5

T = TypeVar("T")
log = structlog.get_logger(__name__)


class Counts:
    """Counts of one kind, kept by one strategy."""

    def __init__(self, strategy: type[RateLimiter], prefix: str) -> None:
        self._everywhere = strategy(_impatient(prefix))
        self._here = strategy(MemoryStorage())
        self._away_until = 0.0

    def hit(self, item: RateLimitItem, *who: str) -> bool:
        """Count once more; False where that is too much."""
        return self._ask(lambda counts: counts.hit(item, *who))

    def test(self, item: RateLimitItem, *who: str) -> bool:
        """Whether there is room, without counting."""
        return self._ask(lambda counts: counts.test(item, *who))

    def clear(self, item: RateLimitItem, *who: str) -> None:
        self._here.clear(item, *who)
        self._ask(lambda counts: counts.clear(item, *who))

    def free_at(self, item: RateLimitItem, *who: str) -> float:
        """When there is room again, in seconds since 1970."""
        return self._ask(lambda counts: counts.get_window_stats(item, *who).reset_time)

    def forget(self) -> None:
        """Begin anew, as tests do."""
        self._here.storage.reset()
        self._ask(lambda counts: counts.storage.reset())

    def _ask(self, what: Callable[[RateLimiter], T]) -> T:
        if time.monotonic() >= self._away_until:
            try:
                return what(self._everywhere)
            except RedisError as error:
                self._away_until = time.monotonic() + AWAY_SECONDS
                log.warning("rates counted here only", error=type(error).__name__)
        return what(self._here)


def _impatient(prefix: str) -> RedisStorage:
    """For somebody at the door: what cannot be asked at once is not asked."""
    return RedisStorage(
        settings.REDIS_URL,
        key_prefix=prefix,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        # Once more where Redis has closed the connection meanwhile.
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),  # type: ignore[arg-type]
    )


class Bucket:
    """How much one socket may ask for: the whole amount at once, and as much again in each period."""

    def __init__(self, limit: RateLimitItem) -> None:
        self._most = float(limit.amount)
        self._a_second = limit.amount / limit.get_expiry()
        self._left, self._at = self._most, time.monotonic()

    def take(self, many: int = 1) -> bool:
        """False where there is not so much left; what is asked too often empties it."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._a_second)
        self._at = now
        enough = self._left >= many
        self._left = max(0.0, self._left - many)
        return enough
