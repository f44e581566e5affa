"""When the admins are told of shared limits, and how often."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts import identity, quota, spending
from accounts.models import Customer, Deployment, Grant, Hold, Limit, Site, Tier, User, Window
from bot.desk import alerts, budget, refusal_rules
from bot.models import Alert, Conversation, Turn

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)


@pytest.fixture
def twenty(db: None) -> Limit:
    """$20 a month for everybody."""
    return Limit.objects.create(
        scope="deployment", metric="money", period="month", amount=20, warn_at=[70, 80, 100]
    )


def spend(limit: Limit, settled: float, now: datetime = NOW, **facts: Any) -> Window:
    """So much was used of the limit's window around `now`."""
    (one,) = budget.standing([limit], now)
    span = one.rule.span(now)
    starts, ends = (span.starts_at, span.ends_at) if span else (now, now + timedelta(hours=limit.hours or 0))
    window, _ = Window.objects.update_or_create(
        rule=one.rule.key,
        subject=one.rule.subject,
        number=span.number if span else int(now.timestamp()),
        defaults={"starts_at": starts, "ends_at": ends, "settled": Decimal(str(settled))} | facts,
    )
    return window


def percents() -> list[tuple[int, bool]]:
    """What is recorded, and whether it had an e-mail."""
    rows = Alert.objects.filter(rule="budget").order_by("id")
    return [(alert.facts["percent"], alert.told_at is not None) for alert in rows]


class TestThresholds:
    def test_each_percent_is_told_once(self, dana: User, twenty: Limit) -> None:
        spend(twenty, 13.99)
        alerts.look(NOW)
        assert percents() == []
        spend(twenty, 14)
        alerts.look(NOW)
        alerts.look(NOW + timedelta(minutes=1))
        assert percents() == [(70, True)]
        spend(twenty, 16.42)
        alerts.look(NOW + timedelta(minutes=2))
        assert percents() == [(70, True), (80, True)]
        assert [message.subject for message in mail.outbox] == [
            "[Frontdesk] Alert: The deployment, $20 a month: 70 % used",
            "[Frontdesk] Alert: The deployment, $20 a month: 80 % used",
        ]

    def test_mail_says_how_much_until_when_and_what_to_do(
        self, dana: User, twenty: Limit, settings: Any
    ) -> None:
        settings.PUBLIC_URL = "https://desk.example.com"
        Deployment.objects.create(id=1, time_zone="Europe/Berlin")
        spend(twenty, 16.42)
        alerts.look(NOW)
        (message,) = mail.outbox
        for text in (message.body, message.alternatives[0].content):
            said = " ".join(text.split())
            assert "$16.42 of $20.00 used (82.1 %)" in said
            assert "2026-12-01 00:00 (Europe/Berlin)" in said
            assert "no model answers" in said
            assert "manage.py spending stop" in said
            assert f"https://desk.example.com/admin/accounts/limit/{twenty.id}/change/" in said
            assert "https://desk.example.com/admin/accounts/deployment/" in said
            assert "https://desk.example.com/admin/accounts/window/?q=deployment" in said

    def test_one_mail_tells_of_the_highest_of_several(self, dana: User, twenty: Limit) -> None:
        spend(twenty, 20)
        alerts.look(NOW)
        assert percents() == [(70, False), (80, False), (100, True)]
        assert len(mail.outbox) == 1
        alerts.look(NOW + timedelta(minutes=1))
        assert len(mail.outbox) == 1

    def test_it_is_full_when_a_call_like_the_last_ones_finds_no_room(self, dana: User, twenty: Limit) -> None:
        window = spend(twenty, 19.9)
        held = Hold.objects.create(
            use=uuid4(), turn=uuid4(), customer=uuid4(), metric="money", window=window,
            amount=Decimal("0.1"), expires_at=NOW,
        )  # fmt: skip
        alerts.look(NOW)
        assert percents()[-1] == (80, True)
        Hold.objects.filter(id=held.id).update(amount=Decimal("0.11"))
        alerts.look(NOW)
        assert percents()[-1] == (100, True)

    def test_new_month_is_a_new_alert_and_ends_the_old_one_without_a_mail(
        self, dana: User, twenty: Limit
    ) -> None:
        spend(twenty, 15)
        alerts.look(NOW)
        december = datetime(2026, 12, 1, tzinfo=UTC)
        alerts.look(december - timedelta(seconds=1))
        assert Alert.objects.get().over_at is None
        alerts.look(december)
        assert Alert.objects.get().over_at == december
        assert len(mail.outbox) == 1
        spend(twenty, 14.5, december)
        alerts.look(december)
        assert percents() == [(70, True), (70, True)]
        assert len(mail.outbox) == 2

    def test_what_falls_back_and_is_crossed_again_is_not_told_again(self, dana: User, twenty: Limit) -> None:
        spend(twenty, 15)
        alerts.look(NOW)
        Limit.objects.filter(id=twenty.id).update(warn_at=[])
        alerts.look(NOW)
        assert Alert.objects.get().over_at == NOW
        Limit.objects.filter(id=twenty.id).update(warn_at=[70])
        alerts.look(NOW)
        assert len(percents()) == len(mail.outbox) == 1

    def test_raised_limit_warns_anew(self, dana: User, twenty: Limit) -> None:
        spend(twenty, 16)
        alerts.look(NOW)
        Limit.objects.filter(id=twenty.id).update(amount=40)
        alerts.look(NOW)
        spend(twenty, 32)
        alerts.look(NOW)
        assert percents()[-1] == (80, True)
        assert len(mail.outbox) == 2

    def test_days_are_those_of_the_deployments_clocks_where_they_change(self, dana: User) -> None:
        """On 2026-10-25 a day in Berlin has 25 hours: from 22:00 UTC the day before to 23:00 UTC."""
        Deployment.objects.create(id=1, time_zone="Europe/Berlin")
        daily = Limit.objects.create(
            scope="deployment", metric="money", period="day", amount=10, warn_at=[50]
        )
        last_hour = datetime(2026, 10, 25, 22, 59, tzinfo=UTC)
        spend(daily, 6, datetime(2026, 10, 24, 22, tzinfo=UTC))
        alerts.look(last_hour)
        assert Alert.objects.get().over_at is None
        alerts.look(last_hour + timedelta(minutes=1))
        assert Alert.objects.get().over_at is not None

    def test_windows_from_first_use_are_told_apart(self, dana: User, plus: Tier) -> None:
        three = Limit.objects.create(
            scope="tier", tier=plus, period="first_use", hours=3, model_class="large",
            amount=100, warn_at=[90],
        )  # fmt: skip
        spend(three, 95)
        alerts.look(NOW)
        alerts.look(NOW + timedelta(hours=3))
        spend(three, 95, NOW + timedelta(hours=4))
        alerts.look(NOW + timedelta(hours=4))
        assert "95 of 100 messages used (95.0 %)" in mail.outbox[0].body
        assert [message.subject for message in mail.outbox] == [
            "[Frontdesk] Alert: Tier Plus together, 100 messages in 3 h from first use on large: 90 % used"
        ] * 2

    def test_limits_of_each_customer_send_no_mail(self, dana: User, alice: Customer, free: Tier) -> None:
        Limit.objects.filter(tier=free).update(warn_at=[50])
        Window.objects.create(
            rule="messages:any:day", subject=f"customer:{alice.id}", number=1, starts_at=NOW,
            ends_at=NOW + timedelta(hours=1), settled=10,
        )  # fmt: skip
        alerts.look(NOW)
        assert Alert.objects.count() == 0

    @pytest.mark.django_db(transaction=True)
    def test_two_who_look_at_once_tell_once(
        self, dana: User, twenty: Limit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spend(twenty, 17)
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
            finally:
                connection.close()

        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert percents() == [(70, False), (80, True)]
        assert len(mail.outbox) == 1

    def test_page_of_alerts_tells_them_in_words(
        self, client: Any, dana: User, twenty: Limit, settings: Any
    ) -> None:
        settings.WHITENOISE_AUTOREFRESH = True
        client.force_login(dana)
        spend(twenty, 17)
        alerts.look(NOW)
        page = client.get(reverse("admin:bot_alert_changelist")).content.decode()
        assert "The deployment, $20 a month: 80 % used" in page
        alert = Alert.objects.get(facts__percent=80)
        page = client.get(reverse("admin:bot_alert_change", args=[alert.id])).content.decode()
        assert reverse("admin:accounts_limit_change", args=[twenty.id]) in page
        assert "The switch that stops all spending" in page
        twenty.delete()
        assert "$17.00 of $20.00 used" in client.get(reverse("admin:bot_alert_changelist")).content.decode()


class TestOverrun:
    def test_alert_names_the_window_and_by_how_much(self, dana: User, twenty: Limit) -> None:
        spend(twenty, 5)
        alerts.look(NOW)
        assert Alert.objects.count() == 0
        spend(twenty, 5, overrun=Decimal("0.031"))
        alerts.look(NOW)
        alerts.look(NOW)
        (message,) = mail.outbox
        assert (
            message.subject == "[Frontdesk] Alert: The deployment, money a month: more was used than was held"
        )
        assert "$0.0310 too much in one window" in message.body

    def test_windows_of_customers_are_told_together(self, dana: User) -> None:
        for number in range(3):
            Window.objects.create(
                rule="output_tokens:model=llama3:8b:first:3h", subject=f"customer:{uuid4()}", number=1,
                starts_at=NOW, ends_at=NOW + timedelta(hours=1), settled=10, overrun=number + 1,
            )  # fmt: skip
        alerts.look(NOW)
        (message,) = mail.outbox
        assert "Each customer, tokens written in 3 h from first use on llama3:8b" in message.subject
        assert "3 tokens written too much in the worst of 3 windows" in message.body

    def test_what_is_settled_after_its_window_ended_is_told_once(self, dana: User, alice: Customer) -> None:
        for scope in ({"scope": "deployment"}, {"tier": alice.effective_tier}):
            Limit.objects.create(**scope, period="minute", amount=5)
        use = uuid4()
        quota.hold(use, alice, seconds=1, now=NOW)
        quota.expire(NOW + timedelta(minutes=1))
        later = NOW + timedelta(days=1)
        alerts.look(later)
        assert mail.outbox == []
        quota.settle(use)
        alerts.look(later)
        alerts.look(later + timedelta(hours=12))
        told = [message.subject.removeprefix("[Frontdesk] Alert: ") for message in mail.outbox]
        assert sorted(told) == [
            "Each customer, messages a day: more was used than was held",
            "Each customer, messages a minute: more was used than was held",
            "The deployment, messages a minute: more was used than was held",
        ]

    def test_grants_are_told_together_once(self, dana: User, alice: Customer, carol: Customer) -> None:
        ends = NOW + timedelta(days=300)
        for customer, over in ((alice, "0.5"), (carol, "2")):
            facts = {"metric": "money", "amount": 5, "overrun": Decimal(over), "expires_at": ends}
            grant = Grant.objects.create(customer=customer.id, **facts)
            held = {"use": uuid4(), "turn": uuid4(), "customer": customer.id, "metric": "money"}
            Hold.objects.create(**held, grant=grant, amount=1, overrun=Decimal(over), expires_at=NOW)
        alerts.look(NOW)
        alerts.look(NOW + timedelta(days=40))
        (message,) = [one for one in mail.outbox if "more was used than was held" in one.subject]
        assert "Grants to customers, money" in message.subject
        assert "$2.00 too much in the worst of 2 grants" in message.body


class TestManyRefused:
    @pytest.fixture
    def customers(self, site: Site) -> Callable[..., list[Customer]]:
        """Customers of the free tier who wrote within the last hour."""

        def store(count: int, reason: str) -> list[Customer]:
            found = [identity.known_as(site, f"{reason}-{number}") for number in range(count)]
            for customer in found:
                talk = Conversation.objects.create(site=site, customer=customer)
                Turn.objects.create(
                    conversation=talk, state="done", reason=reason,
                    outcome="degraded" if reason == "usage_limit" else "answered",
                )  # fmt: skip
            return found

        return store

    def use_up(self, customers: list[Customer], now: datetime) -> None:
        for customer in customers:
            Window.objects.create(
                rule="messages:any:day", subject=f"customer:{customer.id}",
                number=int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()),
                starts_at=now, ends_at=now + timedelta(days=1), settled=10,
            )  # fmt: skip

    def test_alert_names_the_limit_and_how_many(
        self, dana: User, customers: Callable[..., list[Customer]]
    ) -> None:
        now = timezone.now()
        self.use_up(customers(5, "usage_limit"), now)
        customers(19, "large: first")
        (reading,) = refusal_rules.many(now)
        assert reading.crossed
        assert reading.facts["limit"] == "Each customer of Free, 10 messages a day"
        assert (reading.facts["refused"], reading.facts["active"]) == (5, 24)
        alerts.look(now)
        assert [message.subject for message in mail.outbox] == [
            "[Frontdesk] Alert: Each customer of Free, 10 messages a day: many are refused"
        ]

    def test_a_fifth_is_not_many(self, customers: Callable[..., list[Customer]]) -> None:
        now = timezone.now()
        self.use_up(customers(5, "usage_limit"), now)
        customers(20, "large: first")
        assert [*refusal_rules.many(now)] == []

    def test_four_are_not_many(self, customers: Callable[..., list[Customer]]) -> None:
        now = timezone.now()
        self.use_up(customers(4, "usage_limit"), now)
        assert [*refusal_rules.many(now)] == []

    def test_stop_of_all_spending_is_told_by_its_own_rule(
        self, dana: User, customers: Callable[..., list[Customer]]
    ) -> None:
        now = timezone.now()
        self.use_up(customers(9, "usage_limit"), now)
        spending.stop(dana, "a loop")
        assert [*refusal_rules.many(now)] == []
