"""Delete what is older than a site keeps it, every night, and prove it with a row for each site and day.

`run` may be called as often as one likes: what is done for the day is done, what was cut short goes on with
the same bounds. A night that was missed is made up for by the next call.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts import audit, identity
from accounts.models import Customer, Lookup, Site
from bot import conversations
from bot.models import Conversation, Message, RetentionRun, ToolCall, Turn
from bot.rights import forget
from bot.rights.forget import Counts

BATCH = 200
# So long after it was forgotten a conversation is swept again: whoever was in the middle of it has ended.
SWEPT_FOR = timedelta(days=3)
LOCK = 0x4664_5265_7465  # one process deletes at a time
_TRY = "SELECT pg_try_advisory_lock(%s)"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Due:
    """What a run would delete now."""

    site: str
    conversations: int
    messages: int
    calls: int


def run(now: datetime) -> bool:
    """Every site's night, then what has no site's bounds; False when another process is at it.

    1. Forget conversations at rest for too long; those still open are closed first.
    2. Delete what is too old in conversations that go on, old records of tool calls, and the values that
       only these named.
    3. Delete visitors of whom nothing is left, of others who cannot come back where to write to them, and
       what late workers have written where all was forgotten.
    """
    with _alone() as first:
        if not first:
            return False
        for site in Site.objects.order_by("id"):
            if begun := _begin(site, now):
                _one_night(site, begun, now)
    return True


def look(now: datetime) -> list[Due]:
    """What `run` would delete, site by site; deletes nothing."""
    found = []
    for site in Site.objects.order_by("id"):
        text_before, calls_before = _bounds(site, now)
        at_rest = _at_rest(site, text_before)
        said = Message.objects.filter(conversation__in=at_rest) | _old_messages(
            _going_on(site, text_before), text_before
        )
        calls = ToolCall.objects.filter(turn__conversation__in=at_rest)
        calls |= _old_calls(site, text_before, calls_before)
        found.append(Due(site.key, at_rest.count(), said.distinct().count(), calls.distinct().count()))
    return found


def day_of(now: datetime) -> date:
    """Whose run it is; days change in UTC."""
    return now.astimezone(UTC).date()


def _bounds(site: Site, now: datetime) -> tuple[datetime | None, datetime | None]:
    """What is older goes. Nobody who may still be talking is cut off: a day is the least."""
    text, calls = site.text_days, site.call_days
    return (
        None if text is None else now - timedelta(days=max(1, text)),
        None if calls is None else now - timedelta(days=max(1, calls)),
    )


def _begin(site: Site, now: datetime) -> RetentionRun | None:
    """Today's run, begun now or gone on with; None when it is done."""
    text_before, calls_before = _bounds(site, now)
    row, _ = RetentionRun.objects.get_or_create(
        site=site.key,
        day=day_of(now),
        defaults={"text_before": text_before, "calls_before": calls_before},
    )
    return None if row.finished_at else row


def _one_night(site: Site, row: RetentionRun, now: datetime) -> None:
    _close_abandoned(site, row.text_before)
    while _forget_some(site, row, now):
        pass
    _delete_messages(site, row)
    while _delete_some_calls(site, row):
        pass
    _delete_values(site, row, now)
    forget.sweep(Conversation.objects.filter(site=site, forgotten_at__gte=now - SWEPT_FOR))
    visitors = _delete_visitors(site, now)
    _empty_visitors(site, now)
    with transaction.atomic():
        RetentionRun.objects.filter(id=row.pk).update(finished_at=timezone.now())
        row.refresh_from_db()
        audit.record(
            None,
            "retention",
            f"site:{site.key}",
            day=str(row.day),
            conversations=row.conversations,
            messages=row.messages,
            calls=row.calls,
            visitors=visitors,
        )
    log.info("old text deleted", site=site.key, conversations=row.conversations, calls=row.calls)


def _close_abandoned(site: Site, before: datetime | None) -> None:
    """As anybody closes them: what runs there ends, and tabs that are open are told."""
    for one in [*_at_rest(site, before).filter(closed_at=None).values_list("id", flat=True)]:
        conversations.close(one)


def _forget_some(site: Site, row: RetentionRun, now: datetime) -> bool:
    """One batch; False when there is none left."""
    with transaction.atomic():
        # Closed ones only: nothing is said there any more.
        some = _at_rest(site, row.text_before).exclude(closed_at=None).order_by("id")[:BATCH]
        ids = [*some.values_list("id", flat=True)]
        counts = forget.forget(Conversation.objects.filter(id__in=ids, forgotten_at=None), now)
        _add(row, counts)
    return bool(ids)


def _delete_messages(site: Site, row: RetentionRun) -> None:
    """The old part of conversations that go on."""
    going_on = [*_going_on(site, row.text_before).values_list("id", flat=True)]
    for first in range(0, len(going_on), BATCH):
        with transaction.atomic():
            deleted, _ = _old_messages(going_on[first : first + BATCH], row.text_before).delete()
            _add(row, Counts(messages=deleted))


def _delete_some_calls(site: Site, row: RetentionRun) -> bool:
    with transaction.atomic():
        some = _old_calls(site, row.text_before, row.calls_before).order_by("id")[: BATCH * 5]
        ids = [*some.values_list("id", flat=True)]
        deleted, _ = ToolCall.objects.filter(id__in=ids).delete()
        _add(row, Counts(calls=deleted))
    return bool(ids)


def _delete_values(site: Site, row: RetentionRun, now: datetime) -> None:
    """What only the old part of conversations named; of those at rest for a day, whose tabs read anew."""
    quiet = _going_on(site, row.text_before).filter(active_at__lt=now - timedelta(days=1))
    ids = [*quiet.values_list("id", flat=True)]
    for first in range(0, len(ids), BATCH):
        with transaction.atomic():
            forget.forget_unnamed(quiet.filter(id__in=ids[first : first + BATCH]))


def _delete_visitors(site: Site, now: datetime) -> int:
    """Anonymous visitors whose session is over and who never said anything, or whose conversation went on
    as somebody's they turned out to be.
    """
    unused = Conversation.objects.filter(site=site, customer__sub_digest="", forgotten_at__isnull=False)
    turns = Turn.objects.filter(conversation=OuterRef("pk"))
    while some := [*unused.exclude(Exists(turns)).values_list("id", flat=True)[:BATCH]]:
        Conversation.objects.filter(id__in=some).delete()
    over = now - identity.SESSION_LIFE
    empty = Customer.objects.filter(site=site, sub_digest="", seen_at__lt=over, tier=None)
    had = Conversation.objects.filter(customer=OuterRef("pk"))
    deleted = 0
    while some := [*empty.exclude(Exists(had)).values_list("id", flat=True)[:BATCH]]:
        Customer.objects.filter(id__in=some).delete()
        deleted += len(some)
    return deleted


def _empty_visitors(site: Site, now: datetime) -> None:
    """Of anonymous visitors whose session is over, and of whose words nothing is left, only numbers stay."""
    said = Conversation.objects.filter(customer=OuterRef("pk"), forgotten_at=None)
    gone = Customer.objects.filter(site=site, sub_digest="", seen_at__lt=now - identity.SESSION_LIFE)
    gone = gone.exclude(Exists(said))
    with transaction.atomic():
        Lookup.objects.filter(customer__in=gone, conversation=None).delete()
        gone.exclude(sealed_contact=b"", address="").update(sealed_contact=b"", address="")


def _add(row: RetentionRun, counts: Counts) -> None:
    RetentionRun.objects.filter(id=row.pk).update(
        conversations=F("conversations") + counts.conversations,
        messages=F("messages") + counts.messages,
        calls=F("calls") + counts.calls,
    )


def _at_rest(site: Site, before: datetime | None) -> QuerySet[Conversation]:
    """Nothing was said there since; none where the site keeps everything."""
    kept = Conversation.objects.filter(site=site, forgotten_at=None)
    return kept.none() if before is None else kept.filter(active_at__lt=before)


def _going_on(site: Site, before: datetime | None) -> QuerySet[Conversation]:
    """Those begun before then in which something was said since."""
    kept = Conversation.objects.filter(site=site, forgotten_at=None)
    return kept.none() if before is None else kept.filter(opened_at__lt=before, active_at__gte=before)


def _old_messages(
    conversations: QuerySet[Conversation] | list[UUID], before: datetime | None
) -> QuerySet[Message]:
    """What was said before then, and is answered."""
    if before is None:
        return Message.objects.none()
    old = Message.objects.filter(conversation__in=conversations, created_at__lt=before)
    return old.filter(Q(turn=None) | Q(turn__state=Turn.State.DONE))


def _old_calls(site: Site, *bounds: datetime | None) -> QuerySet[ToolCall]:
    """Those that nobody will look at any more: no open question, and no turn under way.

    They tell what was said, and so stay no longer than that.
    """
    before = max((bound for bound in bounds if bound), default=None)
    if before is None:
        return ToolCall.objects.none()
    open_still = Q(state__in=[ToolCall.State.PROPOSED, ToolCall.State.APPROVED])
    open_still |= ~Q(turn__state=Turn.State.DONE)
    open_still |= Q(carried_by__isnull=False) & ~Q(carried_by__state=Turn.State.DONE)
    old = ToolCall.objects.filter(turn__conversation__site=site, created_at__lt=before)
    return old.exclude(open_still)


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether this process may; the lock ends with the connection, whatever happens to the process."""
    with connection.cursor() as cursor:
        cursor.execute(_TRY, [LOCK])
        taken = bool(cursor.fetchone()[0])
    try:
        yield taken
    finally:
        if taken:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
