"""When the admins are told of unusual costs, models without a price, and a stop."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail

from accounts import spending
from accounts.models import Customer, Deployment, Limit, Tier, UsageEntry, User, Window
from bot.desk import alert_words, alerts, ledger_night, spending_rules, spending_words
from bot.models import Alert, Model, Price, Provider

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)

Called = Callable[..., UsageEntry]


@pytest.fixture
def called(alice: Customer) -> Called:
    """One of several calls that cost so many dollars each."""

    def store(cost: str, ago: timedelta, count: int = 1, model: str = "large-1") -> UsageEntry:
        entries = UsageEntry.objects.bulk_create(
            UsageEntry(
                turn=uuid4(), customer=alice.id, site="demo", tier="free", provider="Acme", model=model,
                model_class="large", confidence="exact", cost=Decimal(cost),
            )
            for _ in range(count)
        )  # fmt: skip
        UsageEntry.objects.filter(id__in=[entry.id for entry in entries]).update(created_at=NOW - ago)
        return entries[0]

    return store


def rules() -> list[str]:
    return list(Alert.objects.filter(over_at=None).order_by("id").values_list("rule", flat=True))


def subjects() -> list[str]:
    return [message.subject for message in mail.outbox]


class TestDearCall:
    DAYS = timedelta(days=3)
    NOW = timedelta(minutes=2)

    def test_alert_opens_above_ten_times_what_is_usual(self, dana: User, called: Called) -> None:
        called("0.01", self.DAYS, 20)
        called("0.1", self.NOW)
        alerts.look(NOW)
        assert rules() == []
        entry = called("0.11", self.NOW)
        alerts.look(NOW)
        alerts.look(NOW)
        assert subjects() == ["[Frontdesk] Alert: A call of Acme: large-1 cost $0.11"]
        assert f"/admin/accounts/usageentry/{entry.id}/change/" in mail.outbox[0].body
        assert "11 times what is usual" in mail.outbox[0].body

    def test_usual_is_what_95_percent_cost_at_most(self, called: Called) -> None:
        called("0.01", self.DAYS, 94)
        called("0.5", self.DAYS, 6)
        called("4", self.NOW)
        assert [*spending_rules.dear_calls(NOW)] == []

    def test_cents_are_nothing_unusual(self, called: Called) -> None:
        called("0.0001", self.DAYS, 20)
        called("0.05", self.NOW)
        assert [*spending_rules.dear_calls(NOW)] == []

    def test_nothing_is_unusual_for_a_model_that_is_hardly_known(self, called: Called) -> None:
        called("0.01", self.DAYS, 19)
        called("0.01", timedelta(days=9), 20)
        called("0.01", self.DAYS, 20, model="small-1")
        called("4", self.NOW)
        assert [*spending_rules.dear_calls(NOW)] == []

    def test_it_is_over_after_an_hour_without_a_mail(self, dana: User, called: Called) -> None:
        called("0.01", self.DAYS, 20)
        called("0.4", self.NOW)
        alerts.look(NOW)
        alerts.look(NOW + timedelta(minutes=59))
        assert rules() == []
        assert len(mail.outbox) == 1


class TestDearHour:
    def past(self, called: Called, *costs: str) -> None:
        """So much at this hour of past days, yesterday first; one day before has nothing."""
        for back, cost in enumerate(costs, start=1):
            called(cost, timedelta(days=back, minutes=30))
        called("0", timedelta(days=len(costs), minutes=61))

    def test_alert_opens_above_three_times_the_median(self, dana: User, called: Called) -> None:
        self.past(called, "1", "9", "0.8")
        called("3", timedelta(minutes=40))
        alerts.look(NOW)
        assert rules() == []
        called("0.01", timedelta(minutes=2))
        alerts.look(NOW)
        assert subjects() == ["[Frontdesk] Alert: Unusual costs: $3.01 in an hour"]
        assert "3 times the $1.00" in mail.outbox[0].body

    def test_it_is_over_when_costs_are_back_at_twice_the_usual(self, dana: User, called: Called) -> None:
        self.past(called, "1", "1")
        called("2.1", timedelta(minutes=40))
        called("1.5", timedelta(minutes=59))
        alerts.look(NOW)
        assert rules() == ["hour_cost"]
        alerts.look(NOW + timedelta(minutes=5))
        assert rules() == ["hour_cost"]
        alerts.look(NOW + timedelta(minutes=21))
        assert rules() == []
        assert len(mail.outbox) == 2

    def test_half_a_dollar_is_nothing_unusual(self, called: Called) -> None:
        self.past(called, "0.01", "0.01")
        called("0.50", timedelta(minutes=2))
        (reading,) = spending_rules.dear_hours(NOW)
        assert (reading.crossed, reading.bound) == (False, 0.5)

    def test_nothing_is_unusual_without_two_days_of_history(self, called: Called) -> None:
        self.past(called, "0.1")
        called("50", timedelta(minutes=2))
        assert [*spending_rules.dear_hours(NOW)] == []

    def test_hours_are_those_of_the_deployments_clocks(self, called: Called) -> None:
        """Nine to ten in Berlin is 8 to 9 in UTC since 2026-10-25, and 7 to 8 before."""
        Deployment.objects.create(id=1, time_zone="Europe/Berlin")
        ten = datetime(2026, 10, 26, 9, tzinfo=UTC)
        called("1", NOW - datetime(2026, 10, 25, 8, 30, tzinfo=UTC))
        called("1", NOW - datetime(2026, 10, 24, 7, 30, tzinfo=UTC))
        called("0", NOW - datetime(2026, 10, 24, 7, tzinfo=UTC))
        (reading,) = spending_rules.dear_hours(ten)
        assert reading.facts["usual"] == "$1.00"


class TestUnpriced:
    @pytest.fixture
    def model(self) -> Model:
        provider = Provider.objects.create(name="Acme", base_url="http://127.0.0.1:9/v1")
        return Model.objects.create(provider=provider, name="own-secret-7b", model_class="large")

    def test_alert_names_the_model_while_money_is_limited(self, dana: User, model: Model, plus: Tier) -> None:
        alerts.look(NOW)
        assert rules() == []
        Tier.objects.filter(id=plus.id).update(classes=["large"])
        Limit.objects.create(tier=plus, metric="money", period="month", amount=5)
        alerts.look(NOW)
        assert subjects() == ["[Frontdesk] Alert: No known price: own-secret-7b"]
        assert "/admin/bot/price/" in mail.outbox[0].body
        Price.objects.create(provider=model.provider, model=model.name, input=1, cached=1, output=2)
        alerts.look(NOW)
        assert rules() == []

    def test_class_that_nobody_bound_by_money_may_use_is_left_alone(self, model: Model, plus: Tier) -> None:
        Tier.objects.filter(id=plus.id).update(classes=["small"])
        Limit.objects.create(tier=plus, metric="money", period="month", amount=5)
        assert [*spending_rules.unpriced(NOW)] == []


class TestStopped:
    def test_all_admins_learn_who_stopped_it_and_when_it_goes_on(self, dana: User) -> None:
        spending.stop(dana, "a loop in the morning")
        alerts.look(NOW)
        assert rules() == ["stopped"]
        assert "Dana stopped it" in mail.outbox[0].body
        assert "a loop in the morning" in mail.outbox[0].body
        spending.allow(dana)
        alerts.look(NOW)
        assert rules() == []
        assert subjects() == [
            "[Frontdesk] Alert: All spending is stopped",
            "[Frontdesk] Over: All spending is stopped",
        ]

    def test_second_stop_is_told_anew(self, dana: User) -> None:
        spending.stop(dana, "first")
        alerts.look(NOW)
        spending.allow(dana)
        spending.stop(dana, "second")
        alerts.look(NOW)
        assert [alert.facts["reason"] for alert in Alert.objects.order_by("id")] == ["first", "second"]


@pytest.mark.parametrize("rule", spending_words.WORDS)
def test_alert_without_facts_is_told_all_the_same(rule: str, settings: Any) -> None:
    said = alert_words.say(Alert(rule=rule, subject="Acme", value=3, bound=1))
    assert said.title
    assert said.page.startswith(settings.PUBLIC_URL)


class TestLedger:
    def test_difference_is_told_until_a_night_has_found_none(self, dana: User) -> None:
        window = Window.objects.create(
            rule="money:any:day", subject="deployment", number=1, starts_at=NOW,
            ends_at=NOW + timedelta(days=2), settled=3,
        )  # fmt: skip
        alerts.look(NOW)
        assert rules() == []
        ledger_night.look(NOW)
        alerts.look(NOW)
        alerts.look(NOW)
        assert subjects() == ["[Frontdesk] Alert: The ledger does not agree"]
        assert "1 difference as of tonight: 1 × window settled" in mail.outbox[0].body
        window.delete()
        alerts.look(NOW)
        assert rules() == ["ledger"]
        ledger_night.look(NOW)
        alerts.look(NOW)
        assert rules() == []
