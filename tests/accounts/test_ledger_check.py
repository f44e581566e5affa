"""The nightly look at the books: silent while they agree, and naming what does not."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from accounts import ledger_check, limits, prices, quota, usage
from accounts.models import Customer, Grant, Hold, Limit, Tier, UsageEntry, Window
from accounts.quota import Most
from accounts.usage import Bound, CallCharge, Counted
from bot import metrics
from bot.desk import ledger_night

pytestmark = pytest.mark.django_db

PAID = prices.Terms(prices.Overrides(Decimal("0.123456789012"), None, Decimal("0.777777777777")))


@pytest.fixture
def ended(alice: Customer, free: Tier) -> CallCharge:
    """A call that is settled in windows of alice's and of everybody's, and in a grant; one more is lost."""
    now = timezone.now()
    for metric in ("input_tokens", "output_tokens", "total_tokens", "money"):
        Limit.objects.create(scope="deployment", metric=metric, amount=10_000)
    Limit.objects.create(tier=free, metric="total_tokens", amount=150)
    Grant.objects.create(
        customer=alice.id, metric="total_tokens", amount=1000, expires_at=now + timedelta(days=1)
    )
    named = {"provider": "p", "model": "m-1", "model_class": "small", "site": "demo", "tier": "free"}
    call = CallCharge(
        uuid.uuid4(),
        uuid.uuid4(),
        1,
        alice.id,
        **named,
        tokens=Counted(100, 100),
        exact=True,
        terms=PAID,
    )
    bound, most = Bound(limits.binding(alice), 60), Most("small", "m-1", 100, 100, call.cost)
    usage.begin(call, most, bound)
    usage.end(replace(call, tokens=Counted(90, 77)))
    lost = replace(call, call=uuid.uuid4())
    usage.begin(lost, most, bound)
    quota.expire(now + timedelta(hours=1))
    usage.close_lost(lost.turn, 2, 20)
    quota.settle(call.turn)
    return call


def found(hours: float = 0, days: int = ledger_check.DAYS) -> list[tuple[str, str]]:
    differences = ledger_check.differences(timezone.now() + timedelta(hours=hours), days)
    return [(one.kind, one.metric) for one in differences]


def test_nothing_differs_when_all_went_its_way(ended: CallCharge):
    assert Grant.objects.get().settled
    assert Window.objects.filter(overrun__gt=0).exists()
    assert found() == found(hours=2) == []


def test_nothing_differs_while_a_call_is_under_way(alice: Customer, ended: CallCharge):
    begun = replace(ended, call=uuid.uuid4())
    usage.begin(begun, Most("small", "m-1", 10, 10, None), Bound(limits.binding(alice), 60))
    assert Hold.objects.filter(state="held").exists()
    assert found() == []


@pytest.mark.parametrize("number", ["held", "settled", "overrun"])
def test_window_that_is_not_the_sum_of_its_holds_is_named(ended: CallCharge, number: str):
    changed = Window.objects.filter(rule="money:any:day")
    changed.update(**{number: F(number) + Decimal("0.000000000001")})
    (one,) = ledger_check.differences(timezone.now())
    assert (one.kind, one.metric) == (f"window {number}", "money:any:day")
    assert one.which.startswith("deployment from ")
    assert one.written - one.expected == Decimal("0.000000000001")


def test_grant_that_is_not_the_sum_of_its_holds_is_named(ended: CallCharge):
    Grant.objects.update(settled=F("settled") + 1)
    assert found() == [("grant settled", "total_tokens")]


def test_call_that_was_charged_otherwise_is_named(ended: CallCharge):
    UsageEntry.objects.filter(call=ended.call).update(output_tokens=78)
    assert sorted(found()) == [
        ("call", "output_tokens in deployment"),
        *[("call", f"total_tokens in {who}") for who in (f"customer:{ended.customer}", "deployment")],
    ]


def test_call_that_nobody_closed_and_what_it_holds_are_named(alice: Customer, ended: CallCharge):
    usage.begin(
        replace(ended, call=uuid.uuid4()),
        Most("small", "m-1", 10, 10, None),
        Bound(limits.binding(alice), 60),
    )
    assert {kind for kind, _ in found(hours=0.5)} == set()
    assert {kind for kind, _ in found(hours=1.5)} == {"call left open", "still held"}


def test_hold_of_a_call_that_is_not_in_the_books_is_named(ended: CallCharge):
    UsageEntry.objects.filter(call=ended.call).delete()
    assert {kind for kind, _ in found()} == {"hold without a call"}


def test_what_ended_long_ago_is_not_read_again(ended: CallCharge):
    UsageEntry.objects.update(output_tokens=1, created_at=timezone.now() - timedelta(days=5))
    assert found() == []
    assert found(days=6)


def test_command_is_content_or_names_what_differs(ended: CallCharge, capsys: pytest.CaptureFixture[str]):
    call_command("check_ledger")
    assert capsys.readouterr().out == "the ledger agrees with its holds and calls\n"
    Window.objects.filter(rule="money:any:day").update(settled=7)
    told, errors = StringIO(), StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("check_ledger", stdout=told, stderr=errors)
    assert left.value.code == 1
    assert "window settled  deployment from " in told.getvalue()
    assert "7.000000000000" in told.getvalue()
    assert errors.getvalue() == "1 differences\n"


@pytest.fixture
def night() -> Iterator[None]:
    """Nobody else is told what was found here."""
    yield
    metrics.client().delete(ledger_night._KEY)


@pytest.mark.usefixtures("night")
def test_night_remembers_what_it_found(ended: CallCharge):
    ledger_night.look(timezone.now())
    assert ledger_night.differences() == 0
    Window.objects.filter(rule="money:any:day").update(settled=7)
    assert ledger_night.differences() == 0
    ledger_night.look(timezone.now())
    assert ledger_night.differences() == 1


MANY = """
SET LOCAL session_replication_role = replica;
INSERT INTO accounts_usageentry (
    call, turn, attempt, customer, site, tier, provider, model, model_class, input_tokens, cached_tokens,
    output_tokens, reasoning_tokens, cost, price_source, confidence, outcome, seconds, created_at)
SELECT md5(n::text)::uuid, md5(n::text)::uuid, 1, %(customer)s, 'demo', 'free', 'p', 'm', 'small', 10, 0,
       10, 0, 0.001, 'list', 'exact', 'ok', 1, now() - n * interval '8 seconds'
  FROM generate_series(1, 1000000) n;
INSERT INTO accounts_hold (
    use, turn, customer, metric, window_id, amount, settled, overrun, state, late, created_at, expires_at)
SELECT call, turn, customer, 'money', %(window)s, 0.001, cost, 0, 'settled', false, created_at, created_at
  FROM accounts_usageentry;
UPDATE accounts_window SET settled = 1000 WHERE id = %(window)s;
ANALYZE accounts_usageentry, accounts_hold;
"""


@pytest.mark.thorough
def test_check_of_a_million_calls_takes_seconds(alice: Customer):
    """All of them in one window of the deployment, which is open: the worst that there is."""
    now = timezone.now()
    window = Window.objects.create(
        rule="money:any:month", subject="deployment", number=1, starts_at=now, ends_at=now + timedelta(days=1)
    )
    with connection.cursor() as cursor:
        for statement in MANY.strip().split(";\n"):
            cursor.execute(statement.strip(";\n"), {"customer": alice.id, "window": window.id})
    began = timezone.now()
    assert found() == []
    assert timezone.now() - began < timedelta(seconds=20)
