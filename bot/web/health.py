"""Whether this deployment lives, and whether it can answer: for load balancers and for `make run`."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from bot import heartbeats


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Each part by name: `ok`, or what is wrong with it; 503 when one is missing."""
    parts = {name: check() for name, check in _CHECKS.items()}
    response = JsonResponse(parts, status=200 if all(state == "ok" for state in parts.values()) else 503)
    # An answer, not an accident: Django would log an error for each time somebody asks.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def _redis() -> str:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3) as client:
            client.ping()
    except RedisError:
        return "does not answer"
    return "ok"


def _worker() -> str:
    try:
        return "ok" if heartbeats.last() else "no heartbeat"
    except RedisError:
        return "unknown while redis does not answer"


_CHECKS: dict[str, Callable[[], str]] = {"database": _database, "redis": _redis, "worker": _worker}
