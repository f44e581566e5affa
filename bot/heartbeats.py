"""Whether a worker does its work: it says so through the very queue that turns go through."""

from datetime import datetime

import redis
from django.conf import settings
from django.utils import timezone

KEY = "fd:worker:beat"
FRESH_SECONDS = 30


def beat() -> None:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3) as client:
        client.set(KEY, timezone.now().isoformat(), ex=FRESH_SECONDS)


def stop() -> None:
    """A worker leaves: whoever is left beats again within seconds."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3) as client:
        client.delete(KEY)


def last() -> datetime | None:
    """When a worker last beat; None when that is longer than half a minute ago. Raises RedisError."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3) as client:
        value = client.get(KEY)
    return datetime.fromisoformat(value.decode()) if isinstance(value, bytes) else None
