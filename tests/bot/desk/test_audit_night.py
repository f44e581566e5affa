"""The admins are told by e-mail when the audit log no longer holds: of a change, and of a cut."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core import mail
from django.db import connection
from django.utils import timezone

from accounts import audit
from accounts.models import User
from bot.desk import alerts, audit_night
from bot.models import Alert

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(hour=12)
TOMORROW = NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def first_night() -> Iterator[None]:
    """Nothing was seen of another test's log."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(audit_night._KEY)
        yield
        client.delete(audit_night._KEY)


@pytest.fixture(autouse=True)
def entries(dana: User) -> None:
    for _ in range(3):
        audit.record(dana, "export", "customer:nobody")


def tamper(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
        cursor.execute(sql)


def told_of(now: datetime) -> list[float]:
    alerts.look(now)
    return list(Alert.objects.filter(rule="audit", over_at=None).values_list("value", flat=True))


def test_a_log_that_holds_and_grows_tells_nobody(dana: User) -> None:
    assert told_of(NOW) == []
    audit.record(dana, "export", "customer:nobody")
    assert told_of(TOMORROW) == []
    assert mail.outbox == []


def test_a_changed_entry_is_told_once_by_e_mail() -> None:
    assert told_of(NOW) == []
    tamper("UPDATE accounts_auditentry SET actor_name = 'Eve' WHERE number = 2")
    assert told_of(NOW) == []
    for _ in range(2):
        assert told_of(TOMORROW) == [2]
    [message] = mail.outbox
    assert (message.to, message.subject) == (
        ["dana@example.com"],
        "[Frontdesk] Alert: The audit log was changed",
    )
    assert "entry 2 is missing or is not as it was written" in message.body


def test_a_cut_is_seen_against_the_night_before_and_stays_told(dana: User) -> None:
    assert told_of(NOW) == []
    tamper("DELETE FROM accounts_auditentry WHERE number > 1")
    assert told_of(TOMORROW) == [2]
    audit.record(dana, "export", "customer:nobody")
    audit.record(dana, "export", "customer:nobody")
    assert audit.verify().wrong is None
    assert told_of(TOMORROW + timedelta(days=1)) == [2]


def test_the_log_is_read_once_a_day(django_assert_num_queries: Any) -> None:
    assert audit_night.wrong(NOW) is None
    with django_assert_num_queries(0):
        assert audit_night.wrong(NOW) is None
