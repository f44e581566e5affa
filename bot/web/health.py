"""Whether this deployment lives, and whether it can answer: for load balancers and for `make run`."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from bot import heartbeats, line, metrics
from bot.web.within import SECONDS, within

# A message that waits so long while a worker has room is not being worked on.
LONGEST_WAIT = 30.0


@require_safe
@never_cache
def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Each part by name: `ok`, or what is wrong with it; 503 when one is missing."""
    parts = {"database": _database(), "redis": _redis()}
    away = [name for name, state in parts.items() if state != "ok"]
    parts["worker"] = f"unknown while {away[0]} does not answer" if away else _worker()
    response = JsonResponse(parts, status=200 if all(state == "ok" for state in parts.values()) else 503)
    # An answer, not an accident: Django would log an error for each time somebody asks.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def _database() -> str:
    try:
        within(SECONDS, _select)
    except (DatabaseError, TimeoutError):
        return "does not answer"
    return "ok"


def _select() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _redis() -> str:
    try:
        metrics.client().ping()
    except RedisError:
        return "does not answer"
    return "ok"


def _worker() -> str:
    """A heartbeat shows that a worker lives; the line shows whether it takes work."""
    try:
        workers = heartbeats.workers()
        waited = within(SECONDS, lambda: line.oldest_wait(timezone.now()))
    except (RedisError, DatabaseError, TimeoutError):
        return "unknown"
    if not workers:
        return "no heartbeat"
    if waited > LONGEST_WAIT and any(worker.busy < worker.slots for worker in workers):
        return f"does not take work: the oldest message waits {waited:.0f} s"
    return "ok"
