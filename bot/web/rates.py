"""How often a customer may write, apart from any quota."""

from datetime import UTC, datetime
from functools import cache

import structlog
from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from accounts.models import Customer
from bot.errors import Rejected

MESSAGES = RateLimitItemPerMinute(20)

log = structlog.get_logger(__name__)


@cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(RedisStorage(settings.REDIS_URL, key_prefix="fd:rates"))


def check_message(customer: Customer) -> None:
    """Raise Rejected when this customer writes too fast. When Redis is away nobody is refused."""
    key = str(customer.id)
    try:
        if _limiter().hit(MESSAGES, "message", key):
            return
        reset = _limiter().get_window_stats(MESSAGES, "message", key).reset_time
    except RedisError as error:
        log.warning("rates not counted", error=type(error).__name__)
        return
    raise Rejected("rate_limited", retry_at=datetime.fromtimestamp(reset, UTC))
