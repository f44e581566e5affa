"""A worker's claim on its turns: taken by a conditional update, renewed every five seconds, lost by dying."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

import structlog
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    close_old_connections,
    connection,
    transaction,
)
from django.utils import timezone

from bot.models import Turn

LEASE_SECONDS = 15
RENEW_SECONDS = 5
MOST_ATTEMPTS = 3

_CLAIM = """
UPDATE bot_turn SET state = 'running', attempt = attempt + 1, lease_until = %(until)s,
                    started_at = coalesce(started_at, %(now)s)
 WHERE id = %(turn)s AND (state = 'queued' OR (state = 'running' AND lease_until < %(now)s))
   AND NOT EXISTS (SELECT 1 FROM bot_turn other WHERE other.conversation_id = bot_turn.conversation_id
                      AND other.state = 'running' AND other.id <> bot_turn.id)
RETURNING attempt
"""

log = structlog.get_logger(__name__)


def claim(turn: UUID) -> int | None:
    """Take a queued turn, or one whose worker has died: the attempt's number, or None when it is taken."""
    now = timezone.now()
    facts: dict[str, UUID | datetime] = {
        "turn": turn,
        "now": now,
        "until": now + timedelta(seconds=LEASE_SECONDS),
    }
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_CLAIM, facts)
            row = cursor.fetchone()
    except IntegrityError:
        # Another turn of the conversation started in this very moment.
        return None
    return row[0] if row else None


def show(turn: UUID, attempt: int, *, model: str, model_class: str) -> bool:
    """Say that text is about to be seen; False when this attempt does not hold the turn any more.

    From now on a message that arrives makes the next turn and does not join this one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bot_turn SET first_text_at = %s, model = %s, model_class = %s"
            " WHERE id = %s AND attempt = %s AND state = 'running' AND outcome = ''",
            [timezone.now(), model, model_class, turn, attempt],
        )
        return cursor.rowcount == 1


def waiting(now: datetime) -> list[UUID]:
    """Turns that nobody works on: queued long ago with none running before them, or their lease expired."""
    late = now - timedelta(seconds=RENEW_SECONDS)
    queued = Turn.objects.filter(state=Turn.State.QUEUED, queued_at__lt=late).exclude(
        conversation__turns__state=Turn.State.RUNNING
    )
    stranded = Turn.objects.filter(state=Turn.State.RUNNING, lease_until__lt=now)
    return [*queued.values_list("id", flat=True), *stranded.values_list("id", flat=True)]


class Keeper:
    """Renews the leases of all turns this process works on, in one statement."""

    def __init__(self) -> None:
        self._kept: dict[UUID, int] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        threading.Thread(target=self._run, name="leases", daemon=True).start()

    @contextmanager
    def keep(self, turn: UUID, attempt: int) -> Iterator[None]:
        with self._lock:
            self._kept[turn] = attempt
        self._wake.set()
        try:
            yield
        finally:
            with self._lock:
                self._kept.pop(turn, None)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            threading.Event().wait(RENEW_SECONDS)
            with self._lock:
                kept = dict(self._kept)
                if not kept:
                    self._wake.clear()
            if kept:
                self._renew(kept)

    def _renew(self, kept: dict[UUID, int]) -> None:
        until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE bot_turn SET lease_until = %s"
                    " FROM unnest(%s::uuid[], %s::int[]) AS kept(id, attempt)"
                    " WHERE bot_turn.id = kept.id AND bot_turn.attempt = kept.attempt AND state = 'running'",
                    [until, list(kept), list(kept.values())],
                )
        except (DatabaseError, InterfaceError) as error:
            # The next round tries again; a lease outlives two failed ones.
            log.warning("leases not renewed", error=type(error).__name__, count=len(kept))
        finally:
            close_old_connections()


@cache
def keeper() -> Keeper:
    """This process's keeper, started with its first turn."""
    return Keeper()
