"""Telling the admins by e-mail that a rule is crossed, and that it is over: once each, whoever looks."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

import structlog
from django.db import IntegrityError, transaction
from redis.exceptions import RedisError

from bot.desk import admin_mail, alert_words
from bot.desk.alert_rules import RULES
from bot.desk.reading import Reading
from bot.desk.said import address
from bot.models import Alert

log = structlog.get_logger(__name__)

Readings = dict[tuple[str, str], Reading]


def look(now: datetime) -> None:
    """1. Measure every rule. 2. Open an alert for each crossing. 3. Tell the admins of the new ones.

    4. Close those that are back within their bounds, or have nothing left to measure, and tell of that.
    """
    rules, readings = _measure(now)
    _open(readings)
    try:
        untold = Alert.objects.filter(over_at=None, told_at=None).exclude(facts__has_key="told_with")
        for alert in untold.order_by("id"):
            _once(alert, "told_at", now, _tell)
        for alert in Alert.objects.filter(over_at=None, rule__in=rules).order_by("id"):
            reading = readings.get((alert.rule, alert.subject))
            if reading is None or reading.back:
                _once(alert, "over_at", now, _tell_over)
    except OSError as error:
        log.warning("alerts not told: the mail server does not take them", error=type(error).__name__)


def _measure(now: datetime) -> tuple[list[str], Readings]:
    """The rules that could be measured, and what came of them."""
    rules: list[str] = []
    readings: Readings = {}
    for name, rule in RULES.items():
        try:
            readings |= {(name, reading.subject): reading for reading in rule(now)}
        except RedisError as error:
            log.warning("rule not measured", rule=name, error=type(error).__name__)
        else:
            rules.append(name)
    return rules, readings


def _open(readings: Readings) -> None:
    """An alert that is open already stays as it is, as does one for good: one crossing, one alert."""
    Alert.objects.bulk_create(
        [
            Alert(
                rule=rule,
                subject=subject,
                value=reading.value,
                bound=reading.bound,
                facts=reading.facts,
                once=reading.once,
            )
            for (rule, subject), reading in readings.items()
            if reading.crossed
        ],
        ignore_conflicts=True,
    )


def _once(
    alert: Alert, moment: Literal["told_at", "over_at"], now: datetime, tell: Callable[[Alert], bool]
) -> None:
    """Set `moment` and tell. Whoever sets it tells; what could not be told is left for the next look."""
    if not Alert.objects.filter(id=alert.id, **{f"{moment}__isnull": True}).update(**{moment: now}):
        return
    setattr(alert, moment, now)
    told = False
    try:
        told = tell(alert)
    finally:
        if not told:
            _take_back(alert, moment)


def _take_back(alert: Alert, moment: str) -> None:
    try:
        with transaction.atomic():
            Alert.objects.filter(id=alert.id).update(**{moment: None})
    except IntegrityError:
        # Crossed again meanwhile: the new alert tells that.
        log.info("alert not reopened", rule=alert.rule)


def _tell(alert: Alert) -> bool:
    return _send(alert, "Alert")


def _tell_over(alert: Alert) -> bool:
    """Who was not told of it need not hear that it is over, nor anybody of what ends by itself."""
    quiet = alert.told_at is None or not alert_words.say(alert).over
    return quiet or _send(alert, "Over")


def _send(alert: Alert, word: str) -> bool:
    """False when there are no admins. Raises OSError."""
    said = alert_words.say(alert)
    facts = {
        "alert": alert,
        "said": said,
        "lasted": alert.over_at and alert.over_at - alert.crossed_at,
        "alerts": address("bot_alert"),
    }
    return admin_mail.send(f"{word}: {said.title}", "alert", facts, admin_mail.admins())
