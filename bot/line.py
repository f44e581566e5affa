"""The line of turns that wait for a worker: how long it is, who stands where, and how long that may take."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Avg, F
from django.utils import timezone

from bot.leases import FORLORN, WAITING, overdue
from bot.models import Turn

# How long a turn takes is judged by so many of the last ones, or so guessed where none has ended lately.
JUDGED_BY = 50
LATELY = timedelta(minutes=10)
GUESSED_SECONDS = 5.0

_WAITING = f"""
SELECT bot_turn.id, attempt, conversation_id, rank, queued_at, deferred, state = 'running', outcome,
       {FORLORN}, lease_until < %(now)s,
       (SELECT locale FROM bot_conversation WHERE bot_conversation.id = conversation_id)
  FROM bot_turn
 WHERE state <> 'done'
   AND (outcome <> '' AND lease_until < %(now)s OR outcome = '' AND ({WAITING} OR {FORLORN}))
 ORDER BY deferred, queued_at
"""  # noqa: S608  constants of ours


@dataclass(frozen=True)
class Waiting:
    """A turn that nobody works on."""

    turn: UUID
    attempt: int
    conversation: UUID
    rank: int
    queued_at: datetime
    # Not urgent: its customer has had an answer in short.
    deferred: bool
    begun: bool
    # How whoever raised its fence, and died, wants it to end.
    ending: str
    # Given to no other worker any more.
    forlorn: bool
    lost: bool | None
    locale: str


def waiting(now: datetime) -> list[Waiting]:
    """Everything nobody works on, oldest first, deferred ones last."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"now": now, "overdue": overdue(now)})
        return [Waiting(*row) for row in cursor.fetchall()]


def oldest_wait(now: datetime) -> float:
    """Seconds that the oldest turn has waited for a worker, 0 when none waits; deferred ones do not count."""
    since = [turn.queued_at for turn in waiting(now) if not turn.deferred and not turn.begun]
    return max(((now - at).total_seconds() for at in since), default=0.0)


def in_order(turns: list[Waiting]) -> Iterator[Waiting]:
    """As they will be claimed: one of the highest tier, one that is oldest, and so on."""
    oldest = sorted(turns, key=lambda turn: turn.queued_at)
    highest = sorted(turns, key=lambda turn: (-turn.rank, turn.queued_at))
    taken: set[UUID] = set()
    lists = [iter(highest), iter(oldest)]
    while len(taken) < len(turns):
        for ordered in lists:
            following = next((turn for turn in ordered if turn.turn not in taken), None)
            if following:
                taken.add(following.turn)
                yield following


def seconds_a_turn() -> float:
    """How long a turn occupies a worker's place at present."""
    lately = Turn.objects.filter(
        state=Turn.State.DONE, finished_at__gt=timezone.now() - LATELY, started_at__isnull=False
    ).order_by("-finished_at")[:JUDGED_BY]
    spent = Turn.objects.filter(id__in=lately.values("id")).aggregate(
        mean=Avg(F("finished_at") - F("started_at"))
    )["mean"]
    return spent.total_seconds() if spent else GUESSED_SECONDS
