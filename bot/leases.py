"""A worker's claim on turns: taken by a conditional update, renewed every five seconds, lost by dying.

A turn waits when it is queued and no other of its conversation runs, when its worker has handed it back (it
runs without a lease), or when its worker is lost (its lease has expired).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection
from django.utils import timezone

from bot.events import TurnLog

LEASE_SECONDS = 15
# A turn whose worker was lost so often is not given to another one.
MOST_LOSSES = 3

_LOST = "state = 'running' AND lease_until < %(now)s"
_HANDED_BACK = "state = 'running' AND lease_until IS NULL"
# Too many workers were lost on it, or the last one when it should have been answered long ago.
FORLORN = f"""
({_LOST} AND (losses + 1 >= {MOST_LOSSES} OR started_at < %(overdue)s)
 OR {_HANDED_BACK} AND losses >= {MOST_LOSSES})
"""
WAITING = f"""
{_LOST} AND losses + 1 < {MOST_LOSSES} AND started_at >= %(overdue)s
OR {_HANDED_BACK} AND losses < {MOST_LOSSES}
OR state = 'queued' AND NOT EXISTS (
    SELECT 1 FROM bot_turn other
     WHERE other.conversation_id = bot_turn.conversation_id AND other.state = 'running')
"""  # noqa: S608  constants of ours

_CLAIM = """
WITH best AS (
    SELECT id, state = 'running' AND lease_until IS NOT NULL AS lost
      FROM bot_turn WHERE state <> 'done' AND outcome = '' AND ({which})
     ORDER BY {order} LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE bot_turn
   SET state = 'running', attempt = attempt + 1, started_at = coalesce(started_at, %(now)s),
       losses = losses + best.lost::int,
       lease_until = %(until)s, deferred = false
  FROM best WHERE bot_turn.id = best.id
RETURNING bot_turn.id, attempt, conversation_id, best.lost,
          (SELECT locale FROM bot_conversation WHERE bot_conversation.id = conversation_id)
"""

_RENEW = """
UPDATE bot_turn SET lease_until = %s::timestamptz
  FROM unnest(%s::uuid[], %s::int[]) AS kept(turn, held)
 WHERE bot_turn.id = kept.turn AND attempt = kept.held AND state = 'running' AND outcome = ''
RETURNING bot_turn.id
"""

OLDEST_FIRST = "deferred, queued_at"
HIGHEST_FIRST = "deferred, rank DESC, queued_at"

_claims = count()


@dataclass(frozen=True)
class Claimed:
    """A turn that is this process's until its lease ends or somebody raises the fence."""

    turn: UUID
    attempt: int
    conversation: UUID
    # The worker of the attempt before is lost.
    lost: bool
    locale: str


def overdue(now: datetime) -> datetime:
    """A turn begun before this should have ended."""
    return now - timedelta(seconds=settings.TURN_DEADLINE)


def claim() -> Claimed | None:
    """Take the turn whose turn it is; None when none waits.

    Of every two claims one takes the oldest turn and one the oldest of the highest tier: higher tiers come
    first, and with k turns before it a turn is taken by the 2k+2nd claim at the latest, where first come,
    first served would take it by the k+1st.
    """
    return _claim(WAITING, OLDEST_FIRST if next(_claims) % 2 else HIGHEST_FIRST)


def claim_this(turn: UUID) -> Claimed | None:
    """Take this turn, if it waits."""
    return _claim(f"id = %(turn)s AND ({WAITING})", OLDEST_FIRST, turn)


def claim_lost(turn: UUID) -> Claimed | None:
    """Take a turn that is given to no other worker any more."""
    return _claim(f"id = %(turn)s AND {FORLORN}", OLDEST_FIRST, turn)


def _claim(which: str, order: str, turn: UUID | None = None) -> Claimed | None:
    now = timezone.now()
    facts: dict[str, UUID | datetime | None] = {
        "turn": turn,
        "now": now,
        "until": now + timedelta(seconds=LEASE_SECONDS),
        "overdue": overdue(now),
    }
    statement = _CLAIM.format(which=which, order=order)
    while True:
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, facts)
                row = cursor.fetchone()
        except IntegrityError:
            # Another turn of that conversation was taken in this very moment: it does not wait any more.
            continue
        return Claimed(*row) if row else None


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
        return bool(cursor.rowcount)


def join(conversation: UUID) -> UUID | None:
    """Make the running turn begin anew with what was just said, while none of its text has been seen.

    The turn's id; None when there is none to join, or it is carrying out a change.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bot_turn SET attempt = attempt + 1, lease_until = NULL"
            " WHERE conversation_id = %s AND state = 'running' AND outcome = '' AND first_text_at IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM bot_toolcall WHERE carried_by_id = bot_turn.id)"
            " RETURNING id",
            [conversation],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def another_waits(conversation: UUID) -> bool:
    """Whether the customer has said more meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM bot_turn WHERE conversation_id = %s AND state = 'queued'", [conversation]
        )
        return cursor.fetchone() is not None


def renew(turns: list[TurnLog]) -> set[UUID]:
    """Go on holding these turns; those that are still held."""
    until = timezone.now() + timedelta(seconds=LEASE_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, [until, *_held(turns)])
        return {row[0] for row in cursor.fetchall()}


def hand_back(turns: list[TurnLog]) -> None:
    """Give up these turns, so that another worker begins them anew at once; nobody was lost."""
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, [None, *_held(turns)])


def _held(turns: Iterable[TurnLog]) -> tuple[list[UUID], list[int]]:
    held = {turn.turn: turn.attempt for turn in turns}
    return list(held), list(held.values())


def lose(turn: UUID, attempt: int) -> None:
    """End this attempt now: it has failed in a way that nobody foresaw."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE bot_turn SET lease_until = NULL, losses = losses + 1"
            " WHERE id = %s AND attempt = %s AND state = 'running' AND outcome = ''",
            [turn, attempt],
        )
