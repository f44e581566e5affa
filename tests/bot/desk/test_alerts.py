"""What the admins are told of, when, and how often."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from smtplib import SMTPServerDisconnected
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings as real_settings
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import ConnectionError

from accounts.models import Customer, UsageEntry, User
from bot import metrics
from bot.desk import alert_rules, alerts
from bot.llm.redis_breakers import RedisBreakers
from bot.models import Alert, Conversation, Model, Provider, Turn

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture(autouse=True)
def breakers() -> Iterator[RedisBreakers]:
    """Closed breakers, and no traffic remembered of other tests."""
    alert_rules._usual.cache_clear()
    with redis.Redis.from_url(real_settings.REDIS_URL) as client:
        client.delete("breaker:Acme:large-1")
        yield RedisBreakers(client)
        client.delete("breaker:Acme:large-1")


@pytest.fixture
def ended(conversation: Conversation) -> Callable[..., list[Turn]]:
    """Turns of alice that have ended `ago`; each took a second from message to end."""

    def store(count: int, outcome: str, *, ago: timedelta = timedelta(minutes=1), **facts: Any) -> list[Turn]:
        at = NOW - ago
        facts = {"queued_at": at - timedelta(seconds=1), "finished_at": at} | facts
        turns = [
            Turn.objects.create(conversation=conversation, state="done", outcome=outcome)
            for _ in range(count)
        ]
        # Also what Django fills in by itself.
        Turn.objects.filter(id__in=[turn.id for turn in turns]).update(**facts)
        Conversation.objects.filter(id=conversation.id, active_at__lt=at).update(active_at=at)
        return turns

    return store


@pytest.fixture
def called(alice: Customer) -> Callable[..., None]:
    """Upstream calls of as many turns that began `ago`."""

    def store(
        count: int,
        outcome: str,
        *,
        ago: timedelta = timedelta(minutes=1),
        turn: Turn | None = None,
        seconds: float = 1,
    ) -> None:
        for _ in range(count):
            entry = UsageEntry.objects.create(
                turn=turn.id if turn else uuid4(), customer=alice.id, site="demo", tier="free",
                provider="Acme", model="large-1", model_class="large", confidence="exact",
                outcome=outcome, seconds=seconds,
            )  # fmt: skip
            UsageEntry.objects.filter(id=entry.id).update(created_at=NOW - ago)

    return store


def rules() -> list[str]:
    """What is open."""
    return list(Alert.objects.filter(over_at=None).order_by("id").values_list("rule", flat=True))


def subjects() -> list[str]:
    return [message.subject for message in mail.outbox]


class TestSuccess:
    def test_alert_opens_below_95_percent(self, dana: User, ended: Callable[..., Any]) -> None:
        ended(37, "answered")
        ended(2, "degraded", reason="model_down")
        alerts.look(NOW)
        assert rules() == []
        ended(1, "failed")
        alerts.look(NOW)
        assert rules() == ["success"]
        alert = Alert.objects.get()
        assert (alert.value, alert.bound, alert.told_at) == (92.5, 95, NOW)

    def test_one_failure_at_night_wakes_nobody(self, dana: User, ended: Callable[..., Any]) -> None:
        ended(2, "failed")
        alerts.look(NOW)
        assert rules() == []

    def test_used_up_allowance_is_no_failure(self, dana: User, ended: Callable[..., Any]) -> None:
        ended(20, "degraded", reason="usage_limit")
        ended(5, "stopped")
        ended(5, "handed_over")
        ended(5, "awaiting_approval")
        alerts.look(NOW)
        assert rules() == []

    def test_old_failures_do_not_count(self, dana: User, ended: Callable[..., Any]) -> None:
        ended(20, "failed", ago=timedelta(minutes=16))
        ended(5, "answered")
        alerts.look(NOW)
        assert rules() == []

    def test_alert_stays_open_until_97_percent(self, dana: User, ended: Callable[..., Any]) -> None:
        ended(10, "failed")
        alerts.look(NOW)
        ended(240, "answered")
        alerts.look(NOW)
        assert rules() == ["success"]
        ended(100, "answered")
        alerts.look(NOW)
        assert rules() == []
        assert subjects() == ["[Frontdesk] Alert: Answers fail", "[Frontdesk] Over: Answers fail"]

    def test_alert_is_over_when_nothing_is_left_to_measure(
        self, dana: User, ended: Callable[..., Any]
    ) -> None:
        ended(10, "failed")
        alerts.look(NOW)
        alerts.look(NOW + timedelta(minutes=15))
        assert rules() == []
        assert len(mail.outbox) == 2


class TestFirstText:
    @pytest.fixture
    def answered(self, ended: Callable[..., Any], called: Callable[..., None]) -> Callable[..., None]:
        """Turns whose first text came after `waited` seconds, of which a model took `model`."""

        def store(count: int, waited: float, model: float) -> None:
            first = NOW - timedelta(seconds=60)
            queued = first - timedelta(seconds=waited)
            for turn in ended(count, "answered", first_text_at=first, queued_at=queued, source="model"):
                # It goes on for long after its first text.
                called(1, "ok", turn=turn, ago=timedelta(seconds=60 + model), seconds=model + 30)

        return store

    def test_alert_opens_when_one_in_twenty_waits_for_us(
        self, dana: User, answered: Callable[..., None]
    ) -> None:
        answered(18, waited=0.5, model=0.4)
        answered(2, waited=3.4, model=0.4)
        alerts.look(NOW)
        assert rules() == ["first_text"]
        assert Alert.objects.get().value == pytest.approx(3, abs=0.01)

    def test_time_that_the_model_takes_does_not_count(
        self, dana: User, answered: Callable[..., None]
    ) -> None:
        answered(30, waited=41, model=40)
        alerts.look(NOW)
        assert rules() == []

    def test_calls_before_the_first_text_count_whole(
        self, dana: User, ended: Callable[..., Any], called: Callable[..., None]
    ) -> None:
        """10 s from message to first text: 4 s in a call that ended before, 3 s in the one that spoke."""
        first = NOW - timedelta(seconds=60)
        queued = first - timedelta(seconds=10)
        for turn in ended(20, "answered", first_text_at=first, queued_at=queued):
            called(1, "ok", turn=turn, ago=timedelta(seconds=69), seconds=4)
            called(1, "ok", turn=turn, ago=timedelta(seconds=63), seconds=20)
        alerts.look(NOW)
        assert Alert.objects.get().value == pytest.approx(3, abs=0.01)

    def test_few_slow_turns_are_no_alert(self, dana: User, answered: Callable[..., None]) -> None:
        answered(19, waited=9, model=1)
        alerts.look(NOW)
        assert rules() == []


class TestUpstream:
    def test_alert_opens_above_5_percent_of_a_providers_calls(
        self, dana: User, called: Callable[..., None]
    ) -> None:
        called(57, "ok")
        called(3, "server_fault")
        alerts.look(NOW)
        assert rules() == []
        called(1, "timed_out")
        alerts.look(NOW)
        alert = Alert.objects.get()
        assert (alert.rule, alert.subject) == ("upstream_errors", "Acme")
        assert alert.value == pytest.approx(100 * 4 / 61)

    def test_retries_of_one_turn_are_no_alert(
        self, dana: User, ended: Callable[..., Any], called: Callable[..., None]
    ) -> None:
        turn = ended(1, "answered")[0]
        called(9, "server_fault", turn=turn)
        alerts.look(NOW)
        assert rules() == []

    def test_stops_open_calls_and_lost_workers_are_no_errors(
        self, dana: User, called: Callable[..., None]
    ) -> None:
        for outcome in alert_rules.NO_FAULT:
            called(5, outcome)
        alerts.look(NOW)
        assert rules() == []

    @pytest.mark.parametrize(
        ("outcome", "subject", "title"),
        [
            ("refused", "Acme", "Acme refuses our key"),
            ("quota_gone", "Acme", "The account at Acme is used up"),
            ("unknown_model", "Acme: large-1", "Acme: large-1 does not exist"),
        ],
    )
    def test_one_refusal_is_an_alert(
        self, dana: User, called: Callable[..., None], outcome: str, subject: str, title: str
    ) -> None:
        called(1, outcome)
        alerts.look(NOW)
        assert list(Alert.objects.values_list("rule", "subject")) == [(outcome, subject)]
        assert subjects() == [f"[Frontdesk] Alert: {title}"]

    def test_refusal_is_over_once_calls_have_gone_well_for_five_minutes(
        self, dana: User, called: Callable[..., None]
    ) -> None:
        called(1, "refused", ago=timedelta(minutes=3))
        alerts.look(NOW)
        called(40, "ok", ago=timedelta(minutes=1))
        alerts.look(NOW)
        assert rules() == ["refused"]
        alerts.look(NOW + timedelta(minutes=2, seconds=1))
        assert rules() == []

    def test_refusal_that_was_mended_before_anybody_looked_is_no_alert(
        self, dana: User, called: Callable[..., None]
    ) -> None:
        called(1, "refused", ago=timedelta(minutes=3))
        called(40, "ok", ago=timedelta(minutes=1))
        alerts.look(NOW)
        assert rules() == []


class TestBreaker:
    @pytest.fixture(autouse=True)
    def model(self) -> Model:
        provider = Provider.objects.create(name="Acme", base_url="http://127.0.0.1:9/v1")
        return Model.objects.create(provider=provider, name="large-1", model_class="large")

    def test_alert_opens_with_the_breaker_and_is_over_when_it_is_steadily_closed(
        self, dana: User, breakers: RedisBreakers, called: Callable[..., None]
    ) -> None:
        for _ in range(5):
            breakers.record("Acme:large-1", good=False, probe=False)
        called(2, "server_fault")
        alerts.look(NOW)
        assert rules() == ["breaker"]
        assert Alert.objects.get().subject == "Acme: large-1"
        breakers.record("Acme:large-1", good=True, probe=True)
        alerts.look(NOW)
        assert rules() == ["breaker"]
        alerts.look(NOW + timedelta(minutes=5))
        assert rules() == []

    def test_alert_stays_while_redis_is_away(
        self, dana: User, breakers: RedisBreakers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(5):
            breakers.record("Acme:large-1", good=False, probe=False)
        alerts.look(NOW)
        nowhere = redis.Redis(host="127.0.0.1", port=9, retry=metrics.client().get_retry())
        monkeypatch.setattr(metrics, "client", lambda: nowhere)
        with pytest.raises(ConnectionError):
            metrics.client().ping()
        alerts.look(NOW + timedelta(hours=1))
        assert rules() == ["breaker"]

    def test_alert_is_over_when_the_model_is_taken_out_of_use(
        self, dana: User, breakers: RedisBreakers, model: Model
    ) -> None:
        for _ in range(5):
            breakers.record("Acme:large-1", good=False, probe=False)
        alerts.look(NOW)
        Model.objects.filter(id=model.id).update(enabled=False)
        alerts.look(NOW)
        assert rules() == []


class TestQueue:
    def test_alert_opens_when_a_message_waits_longer_than_30_seconds(
        self, dana: User, conversation: Conversation
    ) -> None:
        turn = Turn.objects.create(conversation=conversation)
        waits = Turn.objects.filter(id=turn.id)
        waits.update(queued_at=NOW - timedelta(seconds=30))
        alerts.look(NOW)
        assert rules() == []
        waits.update(queued_at=NOW - timedelta(seconds=31))
        alerts.look(NOW)
        assert rules() == ["queue"]
        waits.update(queued_at=NOW - timedelta(seconds=11))
        alerts.look(NOW)
        assert rules() == ["queue"]
        waits.update(state="done", outcome="answered")
        alerts.look(NOW)
        assert rules() == []


class TestTraffic:
    def usual(self, ended: Callable[..., Any], weeks: list[int]) -> None:
        """So many turns in this hour of past weeks, the last one first; the oldest has one long before."""
        middle = NOW.replace(minute=NOW.minute // 15 * 15, second=0, microsecond=0)
        for back, count in enumerate(weeks, start=1):
            at = middle - timedelta(weeks=back)
            ended(count, "answered", queued_at=at, finished_at=at)
        first = middle - timedelta(weeks=len(weeks), hours=1)
        ended(1, "answered", queued_at=first, finished_at=first)

    def test_alert_opens_half_above_the_median_of_past_weeks(
        self, dana: User, ended: Callable[..., Any]
    ) -> None:
        self.usual(ended, [60, 400, 56, 40])
        ended(21, "answered", queued_at=NOW - timedelta(minutes=2))
        alerts.look(NOW)
        assert rules() == []
        ended(1, "answered", queued_at=NOW - timedelta(minutes=2))
        alerts.look(NOW)
        alert = Alert.objects.get()
        assert (alert.rule, alert.value, alert.bound) == ("traffic", 88, 87)

    def test_nothing_is_unusual_without_history(self, dana: User, ended: Callable[..., Any]) -> None:
        self.usual(ended, [10])
        ended(100, "answered", queued_at=NOW - timedelta(minutes=2))
        alerts.look(NOW)
        assert rules() == []

    def test_few_turns_are_nothing_unusual(self, dana: User, ended: Callable[..., Any]) -> None:
        self.usual(ended, [1, 1, 1])
        ended(19, "answered", queued_at=NOW - timedelta(minutes=2))
        alerts.look(NOW)
        assert rules() == []


class TestTelling:
    @pytest.fixture
    def failing(self, ended: Callable[..., Any]) -> None:
        ended(10, "failed")

    def test_all_active_admins_get_one_mail_in_text_and_html(
        self, dana: User, bob: User, failing: None, settings: Any
    ) -> None:
        settings.PUBLIC_URL = "https://desk.example.com"
        User.objects.create_user("erin@example.com", "a-long-password", name="Erin", role="admin")
        gone = User.objects.create_user("gone@example.com", "a-long-password", name="Gone", role="admin")
        User.objects.filter(id=gone.id).update(is_active=False)
        alerts.look(NOW)
        (message,) = mail.outbox
        assert message.to == ["dana@example.com", "erin@example.com"]
        assert message.subject == "[Frontdesk] Alert: Answers fail"
        html = message.alternatives[0].content
        crossed = Alert.objects.get().crossed_at
        for text in (message.body, html):
            assert "0.0 % of turns ended well in the last 15 minutes" in text
            assert "less than 95 %" in text
            assert f"{crossed:%Y-%m-%d %H:%M} UTC" in text
            assert "https://desk.example.com/admin/accounts/usageentry/" in text
            assert "https://desk.example.com/admin/bot/alert/" in text
        assert "{" not in message.body

    def test_names_are_escaped_in_html_only(self, dana: User, called: Callable[..., None]) -> None:
        called(1, "refused")
        UsageEntry.objects.update(provider="A & <b>B</b>")
        alerts.look(NOW)
        (message,) = mail.outbox
        assert "A & <b>B</b> refuses our key" in message.body
        assert "A &amp; &lt;b&gt;B&lt;/b&gt; refuses our key" in message.alternatives[0].content
        assert "<b>" not in message.alternatives[0].content

    def test_one_crossing_is_told_once(self, dana: User, failing: None) -> None:
        for minute in range(5):
            alerts.look(NOW + timedelta(minutes=minute))
        assert len(mail.outbox) == 1
        assert Alert.objects.count() == 1

    def test_next_crossing_is_told_again(self, dana: User, failing: None, ended: Callable[..., Any]) -> None:
        alerts.look(NOW)
        later = NOW + timedelta(minutes=20)
        alerts.look(later)
        ended(5, "failed", ago=-timedelta(minutes=30))
        alerts.look(later + timedelta(minutes=20))
        assert [subject.split(":")[0] for subject in subjects()] == [
            "[Frontdesk] Alert", "[Frontdesk] Over", "[Frontdesk] Alert",
        ]  # fmt: skip
        assert Alert.objects.count() == 2

    def test_mail_server_that_is_down_is_tried_again_each_minute(
        self, dana: User, failing: None, ended: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down(backend: EmailBackend, messages: Any) -> int:
            raise SMTPServerDisconnected

        with monkeypatch.context() as away:
            away.setattr(EmailBackend, "send_messages", down)
            alerts.look(NOW)
            assert Alert.objects.get().told_at is None
            alerts.look(NOW + timedelta(minutes=1))
            assert Alert.objects.get().told_at is None
        alerts.look(NOW + timedelta(minutes=2))
        alerts.look(NOW + timedelta(minutes=3))
        assert len(mail.outbox) == 1
        with monkeypatch.context() as away:
            away.setattr(EmailBackend, "send_messages", down)
            alerts.look(NOW + timedelta(minutes=20))
            assert rules() == ["success"]
        alerts.look(NOW + timedelta(minutes=21))
        alerts.look(NOW + timedelta(minutes=22))
        assert rules() == []
        assert len(mail.outbox) == 2

    def test_what_nobody_was_told_of_ends_without_a_word(self, failing: None) -> None:
        alerts.look(NOW)
        assert Alert.objects.get().told_at is None
        alerts.look(NOW + timedelta(minutes=20))
        assert rules() == []
        assert mail.outbox == []

    @pytest.mark.django_db(transaction=True)
    def test_two_who_look_at_once_tell_once(
        self, dana: User, failing: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        together = threading.Barrier(2, timeout=20)
        measure = alerts._measure

        def measure_together(now: datetime) -> Any:
            measured = measure(now)
            together.wait()
            return measured

        monkeypatch.setattr(alerts, "_measure", measure_together)

        def look() -> None:
            try:
                alerts.look(NOW)
                alerts.look(NOW + timedelta(minutes=20))
            finally:
                connection.close()

        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Alert.objects.count() == 1
        assert subjects() == ["[Frontdesk] Alert: Answers fail", "[Frontdesk] Over: Answers fail"]

    @pytest.mark.django_db(transaction=True)
    def test_no_connection_is_held_while_the_mail_server_is_asked(
        self, dana: User, failing: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held = []
        send = EmailBackend.send_messages

        def sending(backend: EmailBackend, messages: Any) -> int:
            held.append(connection.connection)
            return send(backend, messages)

        monkeypatch.setattr(EmailBackend, "send_messages", sending)
        alerts.look(NOW)
        assert held == [None]


class TestAdmin:
    @pytest.fixture
    def admin(self, client: Client, dana: User, settings: Any) -> Client:
        settings.WHITENOISE_AUTOREFRESH = True
        client.force_login(dana)
        return client

    def test_open_alerts_come_first_in_words(self, admin: Client) -> None:
        Alert.objects.create(rule="refused", subject="Acme", value=3, bound=0)
        Alert.objects.create(rule="queue", value=44, bound=30, over_at=NOW)
        page = admin.get(reverse("admin:bot_alert_changelist")).content.decode()
        assert page.index("Acme refuses our key") < page.index("Messages wait for a worker")
        assert "3 calls were refused with 401 or 403" in page
        assert "the oldest one has waited for 44 s" in page

    def test_alert_of_an_earlier_version_is_shown_by_its_name(self, admin: Client) -> None:
        alert = Alert.objects.create(rule="moon_phase", subject="full", value=3, bound=0)
        for url in (
            reverse("admin:bot_alert_changelist"),
            reverse("admin:bot_alert_change", args=[alert.pk]),
        ):
            assert "moon_phase" in admin.get(url).content.decode()

    def test_page_says_what_it_is_for_while_it_is_empty(self, admin: Client) -> None:
        assert "No alerts so far" in admin.get(reverse("admin:bot_alert_changelist")).content.decode()

    def test_nobody_changes_or_deletes_alerts(self, admin: Client) -> None:
        alert = Alert.objects.create(rule="queue", value=44, bound=30)
        change = reverse("admin:bot_alert_change", args=[alert.pk])
        assert admin.get(change).status_code == 200
        assert admin.post(change, {"rule": "other"}).status_code == 403
        assert admin.post(reverse("admin:bot_alert_delete", args=[alert.pk])).status_code == 403
        assert admin.get(reverse("admin:bot_alert_add")).status_code == 403
