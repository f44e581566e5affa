"""The mail about a day's costs: when it is sent, and what it says."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Customer, Deployment, Limit, Tier, UsageEntry, User
from bot.desk import cost_mail, cost_view, costs
from bot.models import Alert, Conversation, Turn
from tests.bot.desk.test_budget_alerts import spend

pytestmark = pytest.mark.django_db
SEVEN = datetime(2026, 11, 18, 6, tzinfo=UTC)
"""In Berlin."""
TUESDAY = date(2026, 11, 17)
NOON = datetime(2026, 11, 17, 11, tzinfo=UTC)

Called = Callable[..., UsageEntry]


@pytest.fixture(autouse=True)
def deployment(db: None) -> Deployment:
    return Deployment.objects.create(id=1, time_zone="Europe/Berlin")


@pytest.fixture
def called(alice: Customer) -> Called:
    """A call that cost so many dollars."""

    def store(cost: str | None, at: datetime = NOON, **facts: Any) -> UsageEntry:
        values = {"provider": "Acme", "model": "large-1", "tier": "free", "confidence": "exact"} | facts
        entry = UsageEntry.objects.create(
            turn=uuid4(), customer=alice.id, site="demo", model_class="large", input_tokens=1000,
            output_tokens=200, cost=None if cost is None else Decimal(cost), **values,
        )  # fmt: skip
        UsageEntry.objects.filter(id=entry.id).update(created_at=at)
        return entry

    return store


class TestWhen:
    def test_sent_once_from_seven_on_by_the_deployments_clocks(self, dana: User, called: Called) -> None:
        called("1.25")
        assert not cost_mail.send_due(SEVEN - timedelta(minutes=1))
        assert cost_mail.send_due(SEVEN)
        assert not cost_mail.send_due(SEVEN + timedelta(minutes=15))
        assert [message.subject for message in mail.outbox] == [
            "[Frontdesk] $1.25 on Tuesday, 17 November 2026"
        ]
        assert mail.outbox[0].to == ["dana@example.com"]

    def test_morning_that_was_missed_is_made_up_for(self, dana: User, called: Called) -> None:
        called("1.25")
        assert cost_mail.send_due(SEVEN + timedelta(hours=15))
        assert cost_mail.send_due(SEVEN + timedelta(days=1))
        assert len(mail.outbox) == 2

    def test_not_sent_where_it_is_not_wanted(self, dana: User, called: Called) -> None:
        called("1.25")
        Deployment.objects.update(daily_mail=False)
        assert not cost_mail.send_due(SEVEN)
        Deployment.objects.update(daily_mail=True)
        assert cost_mail.send_due(SEVEN)

    def test_nothing_to_tell_is_not_told(self, dana: User, called: Called) -> None:
        called("1.25", NOON - timedelta(days=14))
        assert not cost_mail.send_due(SEVEN)
        assert mail.outbox == []

    def test_sent_again_after_the_mail_server_refused(
        self, dana: User, called: Called, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        called("1.25")

        def refuse(*args: Any) -> int:
            raise ConnectionRefusedError

        with monkeypatch.context() as away:
            away.setattr(EmailBackend, "send_messages", refuse)
            assert not cost_mail.send_due(SEVEN)
        assert Deployment.objects.get().mailed_day is None
        assert cost_mail.send_due(SEVEN + timedelta(minutes=15))
        assert len(mail.outbox) == 1

    @pytest.mark.django_db(transaction=True)
    def test_two_who_send_at_once_send_once(
        self, dana: User, called: Called, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        called("1.25")
        together = threading.Barrier(2, timeout=20)
        take = cost_mail._take

        def take_together(day: date) -> bool:
            together.wait()
            return take(day)

        monkeypatch.setattr(cost_mail, "_take", take_together)
        sent = []

        def send() -> None:
            try:
                sent.append(cost_mail.send_due(SEVEN))
            finally:
                connection.close()

        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(sent) == [False, True]
        assert len(mail.outbox) == 1


class TestWhat:
    def test_day_with_25_hours_counts_them_all(self, called: Called) -> None:
        """2026-10-25 in Berlin: from 22:00 UTC the day before to 23:00 UTC."""
        begins = datetime(2026, 10, 24, 22, tzinfo=UTC)
        called("1", begins - timedelta(seconds=1))
        called("2", begins)
        called("4", begins + timedelta(hours=25, seconds=-1))
        called("8", begins + timedelta(hours=25))
        told = costs.of(date(2026, 10, 25))
        assert told.whole.cost == 6
        assert told.days[-2:] == [(date(2026, 10, 24), Decimal(1)), (date(2026, 10, 25), Decimal(6))]
        assert told.month == 7

    def test_sums_by_model_tier_and_site(self, called: Called, plus: Tier) -> None:
        called("0.50", tier="plus")
        called("0.30", model="small-1")
        called("0.15", model="small-1", confidence="estimated")
        called(None, model="own-1", tier="gone")
        told = costs.of(TUESDAY)
        assert (told.whole.cost, told.whole.calls, told.unpriced) == (Decimal("0.95"), 4, 1)
        assert told.estimated == Decimal("0.15")
        assert [(line.name, line.cost) for line in told.models] == [
            ("large-1", Decimal("0.50")),
            ("small-1", Decimal("0.45")),
            ("own-1", 0),
        ]
        assert [line.name for line in told.tiers] == ["Plus", "Free", "gone"]
        assert [line.name for line in told.sites] == ["Harbor & Pine"]

    def test_counts_how_messages_ended(self, alice: Customer) -> None:
        talk = Conversation.objects.create(site=alice.site, customer=alice)
        ends = [
            ("answered", "large: first"), ("answered", "small: full large"),
            ("answered", "small: near large 93"),
            ("degraded", "usage_limit"), ("degraded", "spending_stopped"), ("degraded", "model_down"),
            ("failed", "ceiling of cost"),
        ]  # fmt: skip
        for outcome, reason in ends:
            Turn.objects.create(conversation=talk, state="done", outcome=outcome, reason=reason)
        Turn.objects.update(queued_at=NOON)
        assert costs.of(TUESDAY).ends == costs.Ends(
            messages=7, stepped_down=2, refused=2, without_model=1, failed=1
        )
        assert costs.of(TUESDAY + timedelta(days=1)).ends.messages == 0

    def test_html_and_text_say_the_same_and_nothing_private(
        self, dana: User, alice: Customer, called: Called
    ) -> None:
        called("12.5")
        called("3", NOON - timedelta(days=1))
        budget = Limit.objects.create(scope="deployment", metric="money", period="month", amount=20)
        spend(budget, 15.5, NOON)
        Alert.objects.create(rule="queue", value=44, bound=30)
        assert cost_mail.send_due(SEVEN)
        (message,) = mail.outbox
        html = message.alternatives[0].content
        for text in (message.body, html):
            assert "$12.50" in text
            assert "November so far: $15.50" in text
            assert "The deployment, $20 a month" in text
            assert "$15.50 used, 77 %" in text
            assert "until Tue 1 December, 00:00" in text
            assert "1 open alert" in text
            assert str(alice.id) not in text
            assert alice.external_id not in text
        assert html.count('class="bar-last"') == 2
        assert "height:88px" in html

    def test_no_budget_is_said(self, called: Called) -> None:
        called("1")
        out = StringIO()
        call_command("mail_costs", "--print", "--day", "2026-11-17", stdout=out)
        assert "No limit counts money" in out.getvalue()

    def test_day_without_any_cost_is_drawn(self) -> None:
        facts = cost_view.facts(costs.of(TUESDAY))
        assert {bar.height for bar in facts["bars"]} == {0}
        assert facts["usual"] == facts["each"] == ""

    @pytest.mark.parametrize(
        ("cost", "said"),
        [
            ("1", "as usual, $1.00"),
            ("0.75", "25 % less than the usual $1.00"),
            ("4", "4.0 times the usual $1.00"),
        ],
    )
    def test_cost_is_compared_with_what_is_usual(self, called: Called, cost: str, said: str) -> None:
        for back in range(1, 14):
            called("1", NOON - timedelta(days=back))
        called(cost)
        assert cost_view.usual(costs.of(TUESDAY)) == said

    def test_many_models_end_in_one_row(self) -> None:
        lines = [costs.Line(f"model-{number}", calls=1, cost=Decimal(1)) for number in range(10)]
        rows = cost_view.rows(lines, Decimal(10))
        assert [row.name for row in rows[-2:]] == ["model-6", "3 others"]
        assert (rows[-1].calls, rows[-1].cost, rows[-1].percent) == ("3", "$3.00", 30)


class TestCommand:
    def test_sends_to_whom_it_is_told(self, called: Called) -> None:
        called("1.25")
        call_command("mail_costs", "--day", "2026-11-17", "--to", "erin@example.com", stdout=StringIO())
        assert mail.outbox[0].to == ["erin@example.com"]
        assert Deployment.objects.get().mailed_day is None

    def test_says_that_nobody_is_there(self) -> None:
        with pytest.raises(CommandError, match="no admin"):
            call_command("mail_costs")
