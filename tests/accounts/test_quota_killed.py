"""A worker is killed between any two steps of a turn, or in one: the books come to rest all the same."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import ledger_check, quota, usage
from accounts.models import Customer, Grant, Hold, Limit, Tier, UsageEntry, Window
from tests.accounts.mortal import NOON, STEPS

pytestmark = pytest.mark.django_db(transaction=True)


class Mortal:
    """A process that lives through turns, as far as it is let."""

    def __init__(self) -> None:
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
        settings = {"DATABASE_URL": url.geturl(), "DJANGO_SETTINGS_MODULE": "config.settings"}
        here = Path(__file__).resolve()
        self.process = subprocess.Popen(
            [sys.executable, str(here.with_name("mortal.py"))],
            env=os.environ | settings | {"PYTHONPATH": str(here.parents[2])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"

    def live(self, turn: uuid.UUID, attempt: int, customer: Customer, until: str) -> int | None:
        """Live until that step; the process to be killed, or None when it has come to its end."""
        order = {"turn": str(turn), "attempt": attempt, "customer": str(customer.id), "until": until}
        self.process.stdin.write(json.dumps(order | {"call": str(uuid.uuid4())}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline()).get("pid")

    def go_on(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        assert json.loads(self.process.stdout.readline()) == {"over": pid}

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def mortal(django_db_setup: None) -> Iterator[Mortal]:
    one = Mortal()
    yield one
    one.close()


@pytest.fixture
def alice(alice: Customer, free: Tier) -> Customer:
    """With windows of hers and of everybody's, and a grant that pays a part."""
    Limit.objects.create(tier=free, metric="total_tokens", amount=150)
    Limit.objects.create(scope="deployment", metric="money", period="first_use", hours=5, amount=1)
    ends = NOON + timedelta(days=400)
    Grant.objects.create(customer=alice.id, metric="total_tokens", amount=10**6, expires_at=ends)
    return alice


OTHERS = """
SELECT count(*) FILTER (WHERE wait_event_type = 'Lock'), count(*) FILTER (WHERE state = 'active'),
       pg_stat_clear_snapshot()
  FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
WAITING, WORKING = 0, 1


def wait_until(enough: int, what: int) -> None:
    """So many others are WAITING for a lock, or WORKING: PostgreSQL knows no event for it."""
    gives_up = timezone.now() + timedelta(seconds=30)
    with connection.cursor() as cursor:
        while timezone.now() < gives_up:
            cursor.execute(OTHERS)
            if cursor.fetchone()[what] == enough:
                return
            cursor.execute("SELECT pg_sleep(0.005)")
    raise AssertionError("they never did")


def rest(turn: uuid.UUID, attempts: int = 9) -> None:
    """What rescue and sweeper do."""
    quota.expire(NOON + timedelta(minutes=5))
    usage.close_lost(turn, attempts, 40)


def agrees(turn: uuid.UUID) -> None:
    """Nothing is held or open, nothing is counted twice, and all sums agree."""
    assert not Hold.objects.filter(state="held").exists()
    assert not UsageEntry.objects.filter(outcome="open").exists()
    assert ledger_check.differences(NOON, days=1) == []
    entries = UsageEntry.objects.filter(turn=turn)
    money = Window.objects.filter(rule__startswith="money").values_list("settled", flat=True)
    assert sum(money) == sum(entry.cost for entry in entries)
    own = Window.objects.filter(rule__startswith="total_tokens").values_list("settled", flat=True)
    granted = Grant.objects.values_list("settled", flat=True)
    total = sum(entry.input_tokens + entry.output_tokens for entry in entries)
    assert sum(own) + sum(granted) == total
    messages = Window.objects.filter(rule="messages:any:day").values_list("settled", flat=True)
    assert sum(messages) <= 1


@pytest.mark.parametrize("step", STEPS)
def test_books_come_to_rest_when_a_worker_is_killed(mortal: Mortal, alice: Customer, step: str):
    turn = uuid.uuid4()
    mortal.kill(mortal.live(turn, 1, alice, step))
    rest(turn)
    agrees(turn)
    outcomes = {"opened": [], "begun": ["lost"]}
    entries = UsageEntry.objects.filter(turn=turn)
    assert [entry.outcome for entry in entries] == outcomes.get(step, ["ok"])
    used = [*Window.objects.filter(rule="messages:any:day").values_list("settled", flat=True)]
    assert used == {"opened": [], "settled": [1]}.get(step, [0])
    # Another worker answers the turn after all.
    assert mortal.live(turn, 2, alice, "") is None
    rest(turn)
    agrees(turn)
    assert [*Window.objects.filter(rule="messages:any:day").values_list("settled", flat=True)] == [1]
    assert UsageEntry.objects.filter(turn=turn, outcome="ok", attempt=2).count() == 1


@pytest.mark.parametrize("step", STEPS[1:3])
def test_next_attempt_takes_over_what_is_still_held(mortal: Mortal, alice: Customer, step: str):
    """It comes before anything has expired."""
    turn = uuid.uuid4()
    mortal.kill(mortal.live(turn, 1, alice, step))
    usage.close_lost(turn, 2, 40)
    assert mortal.live(turn, 2, alice, "") is None
    agrees(turn)
    message = Window.objects.get(rule="messages:any:day")
    assert (message.held, message.settled, message.overrun) == (0, 1, 0)


@pytest.mark.parametrize(("step", "outcome"), [("opened", "lost"), ("begun", "ok")])
def test_statement_whose_worker_is_killed_in_it_is_done_whole(
    mortal: Mortal, alice: Customer, step: str, outcome: str
):
    """The database goes on with what it was asked for, and has done it when the rows are free."""
    assert mortal.live(uuid.uuid4(), 1, alice, "") is None  # opens the windows
    turn = uuid.uuid4()
    pid = mortal.live(turn, 1, alice, step)
    with transaction.atomic():
        list(Window.objects.select_for_update())
        mortal.go_on()
        wait_until(1, WAITING)
        mortal.kill(pid)
    wait_until(0, WORKING)
    rest(turn)
    assert UsageEntry.objects.get(turn=turn).outcome == outcome
    assert ledger_check.differences(NOON, days=1) == []
    assert not Hold.objects.filter(state="held").exists()
