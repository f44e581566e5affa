"""The mail that tells the admins every morning what the day before has cost."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.db.models import Q

from accounts import spending
from accounts.models import Deployment
from bot.desk import admin_mail, cost_view, costs
from bot.desk.costs import Costs

HOUR = 7

log = structlog.get_logger(__name__)


def send_due(now: datetime) -> bool:
    """Tell of yesterday, once, whoever looks and however late; whether it was told.

    1. Not before seven on the deployment's clocks, nor where it is not wanted.
    2. Whoever sets the day tells; what could not be told is left for the next look.
    """
    row = spending.deployment()
    local = now.astimezone(ZoneInfo(row.time_zone))
    day = local.date() - timedelta(days=1)
    if not row.daily_mail or local.hour < HOUR or not _take(day):
        return False
    told = False
    try:
        told = _tell(day)
    except OSError as error:
        log.warning("costs not told: the mail server does not take them", error=type(error).__name__)
    finally:
        if not told:
            Deployment.objects.filter(mailed_day=day).update(mailed_day=row.mailed_day)
    return told


def _take(day: date) -> bool:
    """Whether nobody has told of it."""
    due = Deployment.objects.filter(Q(mailed_day__lt=day) | Q(mailed_day=None))
    return bool(due.update(mailed_day=day))


def _tell(day: date) -> bool:
    """Without admins, or anything to tell for two weeks, nobody is written to."""
    to = admin_mail.admins()
    told = costs.of(day) if to else None
    return bool(told and told.any and send(told, to))


def send(told: Costs, to: list[str]) -> bool:
    """Raises OSError; False when there is nobody to tell."""
    return admin_mail.send(cost_view.title(told), "costs", cost_view.facts(told), to)
