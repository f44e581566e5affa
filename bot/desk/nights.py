"""Whether old text is deleted as it should be: how long ago that was last done for every site."""

from datetime import datetime

from django.db.models import Max

from accounts.models import Site
from bot.models import RetentionRun

# A day, and time to make up for a start that was missed.
LATE_HOURS = 26


def hours_since(now: datetime) -> float | None:
    """Since the site that has waited longest had its last whole run, or began; None without a site."""
    finished = RetentionRun.objects.exclude(finished_at=None).values_list("site").order_by()
    last = dict(finished.annotate(Max("finished_at")))
    since = [last.get(key, began) for key, began in Site.objects.values_list("key", "created_at")]
    return (now - min(since)).total_seconds() / 3600 if since else None


def last_night() -> tuple[list[RetentionRun], datetime | None]:
    """The runs of the newest day, and when the last of them ended."""
    newest = RetentionRun.objects.order_by("-day").first()
    runs = [*RetentionRun.objects.filter(day=newest.day).order_by("site")] if newest else []
    return runs, max((run.finished_at for run in runs if run.finished_at), default=None)
