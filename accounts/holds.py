"""What is held at this moment, and giving it back by hand."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import audit, quota
from accounts.models import Hold, User
from accounts.prices import plain


def held(older_minutes: float = 0) -> QuerySet[Hold]:
    """What is held, at least for so long, the oldest first."""
    latest = timezone.now() - timedelta(minutes=older_minutes)
    rows = Hold.objects.filter(state=Hold.State.HELD, created_at__lte=latest)
    return rows.select_related("window", "grant").order_by("created_at", "id")


@transaction.atomic
def release(use: UUID, by: User | None) -> list[Hold]:
    """Give back all that a use holds, and record who did it; nothing where it holds nothing any more."""
    quota.lock(use)
    of_use = Hold.objects.filter(use=use, state=Hold.State.HELD).select_related("window", "grant")
    holds = list(of_use.order_by("id"))
    if holds:
        quota.release(use)
        given_back = [f"{plain(hold.amount)} {hold.metric} ({where(hold)})" for hold in holds]
        audit.record(by, "hold_released", f"turn:{holds[0].turn}", use=str(use), before=given_back)
    return holds


def where(hold: Hold) -> str:
    """The window or the grant that it is held in."""
    if hold.window:
        return f"{hold.window.rule} of {hold.window.subject}"
    return f"{hold.grant}"
