"""The switch that stops all spending: no call begins while it is thrown, and answers come without a model."""

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import Deployment, User

ROW = 1
LONGEST_REASON = 200
COMMAND_LINE = "the command line"


def deployment() -> Deployment:
    """The one row, made when it is missing."""
    return Deployment.objects.get_or_create(id=ROW)[0]


def zone() -> str:
    """On whose clocks days, weeks and months begin."""
    return Deployment.objects.values_list("time_zone", flat=True).first() or "UTC"


def stopped() -> Deployment | None:
    """Who stopped all spending, when and why; None while it is allowed."""
    return Deployment.objects.filter(stopped_at__isnull=False).first()


@transaction.atomic
def stop(by: User | None, reason: str, *, recorded: bool = True) -> bool:
    """Throw the switch; False where it was thrown already, which stays as it is.

    The audit log cannot be written without the deployment's keys; the switch can.
    """
    deployment()
    thrown = Deployment.objects.filter(stopped_at=None).update(
        stopped_at=timezone.now(),
        stopped_by=str(by or COMMAND_LINE)[:100],
        stop_reason=reason[:LONGEST_REASON],
    )
    if thrown and recorded:
        audit.record(by, "spending_stopped", "deployment", reason=reason)
    return bool(thrown)


@transaction.atomic
def allow(by: User | None) -> bool:
    """Take the switch back; False where nothing was stopped."""
    before = Deployment.objects.select_for_update().filter(stopped_at__isnull=False).first()
    if before is None:
        return False
    told = {"stopped_at": before.stopped_at.isoformat() if before.stopped_at else "", "by": before.stopped_by}
    Deployment.objects.update(stopped_at=None, stopped_by="", stop_reason="")
    audit.record(by, "spending_allowed", "deployment", before=told)
    return True
