"""Erasing a customer: everything goes, numbers stay, nobody writes on, and it may be done twice."""

import time
from datetime import timedelta
from decimal import Decimal
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu.serialization import dumps, loads

from accounts import allowance, audit, grants, identity, lookups, quota, sealing
from accounts.grants import Gift
from accounts.models import AuditEntry, Customer, Grant, Hold, UsageEntry, User, Window
from bot import conversations, events, tasks, turn
from bot.errors import Rejected
from bot.models import Conversation, Message, ToolCall, Turn, VaultEntry
from bot.outbox import outbox
from bot.reply import Reply, end
from bot.rights import erasure
from config.celery import app
from tests.bot.rights.conftest import EMAIL, NAME, ORDER, PHONE, PLANTED, Told, dump, shown

pytestmark = pytest.mark.django_db


def test_nothing_that_was_said_or_known_is_left_in_any_table(
    nora: Customer, revealed: Conversation, admins_history: LogEntry
) -> None:
    before = dump()
    assert all(value in before for value in (ORDER, "nora-17", "shipment to the lighthouse"))
    sealed = [bytes(nora.sealed_email).hex(), bytes(revealed.wrapped_key).hex()]
    assert all(value in before for value in sealed)

    erasure.erase(nora, nora, "asked for it")

    after = dump()
    assert not [value for value in [*PLANTED, "nora-17", *sealed] if value in after]
    assert not VaultEntry.objects.exists()
    assert not lookups.find(EMAIL).exists()
    assert not lookups.find(PHONE).exists()


def test_numbers_ledger_and_audit_log_stay_and_hold(nora: Customer, revealed: Conversation) -> None:
    quota.hold(revealed.turns.get().id, nora, seconds=60)
    quota.settle(revealed.turns.get().id)

    counts = erasure.erase(nora, None, "asked by letter")

    assert (counts.conversations, counts.messages, counts.calls) == (1, 3, 1)
    revealed.refresh_from_db()
    assert revealed.forgotten_at
    assert revealed.closed_at
    assert bytes(revealed.wrapped_key) == b""
    turn = revealed.turns.get()
    assert (turn.outcome, turn.input_tokens) == ("answered", 120)
    assert UsageEntry.objects.get().customer == nora.id
    assert Window.objects.get().settled == Decimal(1)
    entry = AuditEntry.objects.order_by("-number")[0]
    assert (entry.action, entry.subject) == ("erase", f"customer:{nora.id}")
    assert entry.detail["messages"] == 3
    assert audit.verify().wrong is None


def test_of_grants_only_numbers_stay(nora: Customer, alice: Customer, dana: User) -> None:
    gift = Gift("extra", "messages", "", Decimal(5), timezone.now() + timedelta(days=3))
    for one in (nora, alice):
        grants.give(one, gift, f"{NAME} waited long", dana)
    erasure.erase(nora, nora, "asked for it")
    assert Grant.objects.get(customer=alice.id).reason == f"{NAME} waited long"
    Grant.objects.filter(customer=alice.id).delete()
    grant = Grant.objects.get()
    assert (grant.customer, grant.amount, grant.reason) == (nora.id, 5, "")
    assert NAME not in dump()
    assert audit.verify().wrong is None


def test_who_comes_back_is_new_with_the_same_quota(nora: Customer, told: Told) -> None:
    turn = told(nora).turns.get()
    quota.hold(turn.id, nora, seconds=60)
    quota.settle(turn.id)
    erasure.erase(nora, nora, "")

    back = identity.verified(nora.site, identity.Identity("nora-17", "", "N. Q.", None))

    assert back.id == nora.id
    assert back.name == "N. Q."
    assert back.email == ""
    assert allowance.of(back).limits[0].used == 1
    opened = conversations.current(back, "en")
    assert not Message.objects.filter(conversation=opened).exists()
    assert opened.data_key


def test_old_session_tokens_are_refused_and_new_ones_are_not(
    nora: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = identity.issue(nora)
    assert identity.read_session(nora.site, old) == nora
    erasure.erase(nora, nora, "")
    with pytest.raises(identity.BadToken, match="erased"):
        identity.read_session(nora.site, old)
    later = time.time() + 2
    monkeypatch.setattr(time, "time", lambda: later)
    assert identity.read_session(nora.site, identity.issue(nora)) == nora


def test_erasing_twice_changes_nothing(nora: Customer, told: Told) -> None:
    told(nora)
    erasure.erase(nora, nora, "")
    erased_at, log = nora.erased_at, audit.head()
    assert erasure.erase(nora, nora, "") == erasure.Counts()
    nora.refresh_from_db()
    assert nora.erased_at == erased_at
    assert audit.head() == log


def test_another_customer_keeps_everything(nora: Customer, alice: Customer, told: Told) -> None:
    kept = told(alice)
    told(nora)
    erasure.erase(nora, nora, "")
    assert Message.objects.filter(conversation=kept).count() == 3
    assert ToolCall.objects.count() == 1
    assert lookups.find(ORDER).get() == alice
    assert sealing.open_data_key(Conversation.objects.get(id=kept.id).wrapped_key)


def test_a_turn_under_way_ends_and_its_worker_stores_nothing(nora: Customer, told: Told) -> None:
    conversation = told(nora)
    turn = Turn.objects.create(
        conversation=conversation,
        state="running",
        attempt=1,
        started_at=timezone.now(),
        lease_until=timezone.now() + timedelta(seconds=15),
    )
    quota.hold(turn.id, nora, seconds=60)
    log = events.TurnLog(turn.id, 1, conversation.id)
    log.text(f"Dear {NAME}")
    assert outbox().flush()
    assert shown(turn.id) == ["delta"]

    erasure.erase(nora, nora, "")

    assert shown(turn.id) == []
    late = Turn.objects.select_related("conversation__customer__site__default_tier").get(id=turn.id)
    assert (late.state, late.attempt) == ("done", 2)
    assert end(late, 1, Reply(f"Dear {NAME}, it is done", "answered", "model", counts=True), log) is None
    log.text(" and more")
    assert outbox().flush()
    assert shown(turn.id) == []
    assert log.fenced
    assert not Message.objects.exists()
    assert Hold.objects.get(use=turn.id).state != Hold.State.HELD


def test_a_turn_that_begins_in_between_ends_without_a_word(
    nora: Customer, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = told(nora)
    turns: list[Turn] = []

    def fenced_too_early(*args: object) -> int:
        turns.append(Turn.objects.create(conversation=conversation, state="running", attempt=1))
        return 0

    monkeypatch.setattr(erasure.reply, "fence", fenced_too_early)
    erasure.erase(nora, nora, "")
    turns[0].refresh_from_db()
    assert (turns[0].state, turns[0].outcome, turns[0].attempt) == ("done", "stopped", 2)
    assert not Message.objects.filter(conversation=conversation).exists()


def test_a_worker_that_has_just_begun_lets_go(
    nora: Customer, told: Told, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = Turn.objects.create(conversation=told(nora))
    opened = turn.opening.opened

    def erased_before(claimed: UUID) -> Turn:
        erasure.erase(nora, nora, "")
        return opened(claimed)

    monkeypatch.setattr(turn.opening, "opened", erased_before)
    assert turn.run_next()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.outcome) == ("done", "stopped")
    assert not Message.objects.exists()
    assert "turn broke" not in caplog.text


def test_a_tab_that_did_not_hear_of_it_can_store_nothing(nora: Customer, told: Told) -> None:
    conversation = told(nora)
    key = conversation.data_key
    erasure.erase(nora, nora, "")
    with pytest.raises(Rejected, match="closed"):
        conversations.post(nora, conversation.id, conversation.id, "still here", key=key)
    assert not Message.objects.exists()


@pytest.mark.parametrize("came_back", [False, True])
def test_a_tab_that_did_not_hear_of_it_leaves_no_contact(nora: Customer, told: Told, came_back: bool) -> None:
    conversation, tab = told(nora), Customer.objects.get(id=nora.id)
    key = conversation.data_key
    erasure.erase(nora, nora, "")
    if came_back:
        # Whatever that tab takes for its conversation, its session is from before.
        conversation = conversations.current(nora, "en")
        key = conversation.data_key
    with pytest.raises(Rejected, match="closed"):
        conversations.leave_contact(tab, conversation, EMAIL, key=key)
    nora.refresh_from_db()
    assert nora.contact == ""
    assert not lookups.find(EMAIL).exists()
    assert not VaultEntry.objects.exists()
    assert not Message.objects.exists()


def test_who_comes_back_may_leave_a_contact(nora: Customer, told: Told) -> None:
    told(nora)
    erasure.erase(nora, nora, "")
    back = identity.verified(nora.site, identity.Identity("nora-17", "", "", None))
    opened = conversations.current(back, "en")
    conversations.leave_contact(back, opened, EMAIL, key=opened.data_key)
    assert lookups.find(EMAIL).get() == nora
    conversations.close(opened.id)
    with pytest.raises(Rejected, match="closed"):
        conversations.leave_contact(back, opened, "new@example.org", key=opened.data_key)
    assert Customer.objects.get(id=nora.id).contact == EMAIL


def test_what_a_late_worker_has_written_is_swept_a_little_later(
    nora: Customer, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = told(nora).turns.get()
    sent: list[tuple[str, list[object], float]] = []
    monkeypatch.setattr(
        app, "send_task", lambda name, args, *, countdown: sent.append((name, args, countdown))
    )
    erasure.erase(nora, nora, "")
    ToolCall.objects.create(turn=turn, call="late", name="order_status", arguments={"o": ORDER}, state="done")
    [(name, arguments, countdown)] = sent
    assert name == tasks.sweep_erased.name
    assert countdown >= 60
    content_type, encoding, body = dumps(arguments, serializer="json")
    app.tasks[name](*loads(body, content_type, encoding))
    assert not ToolCall.objects.exists()


def test_a_sweep_leaves_what_was_said_since(nora: Customer, told: Told) -> None:
    told(nora)
    erasure.erase(nora, nora, "")
    since = told(nora)
    erasure.finish(nora.id)
    assert Message.objects.filter(conversation=since).count() == 3


def test_nothing_is_done_by_halves(nora: Customer, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = told(nora)
    monkeypatch.setattr(erasure.audit, "record", broken)
    with pytest.raises(ZeroDivisionError):
        erasure.erase(nora, nora, "")
    conversation.refresh_from_db()
    nora.refresh_from_db()
    assert nora.email == EMAIL
    assert conversation.data_key
    assert Message.objects.filter(conversation=conversation).count() == 3
    monkeypatch.undo()
    erasure.erase(nora, nora, "")
    assert not Message.objects.exists()


def broken(*args: object, **detail: object) -> None:
    raise ZeroDivisionError


def test_a_long_history_takes_no_more_statements(nora: Customer, told: Told) -> None:
    told(nora)
    with CaptureQueriesContext(connection) as few:
        erasure.erase(nora, nora, "")
    for _ in range(5):
        told_and_closed(nora, told)
    with CaptureQueriesContext(connection) as many:
        erasure.erase(nora, nora, "")
    assert len(many) <= len(few) + 2


@pytest.mark.django_db(transaction=True)
def test_a_hello_meanwhile_opens_nothing_that_is_not_closed(
    nora: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgets = erasure.forget.forget
    tab = Thread(target=hello, args=[nora])

    def forgotten_before_hello(*args: Any) -> erasure.Counts:
        counts = forgets(*args)
        tab.start()
        while tab.is_alive() and not somebody_waits():
            pass
        return counts

    monkeypatch.setattr(erasure.forget, "forget", forgotten_before_hello)
    erasure.erase(nora, nora, "")
    tab.join()
    assert nora.erased_at
    assert Conversation.objects.get(closed_at=None).opened_at > nora.erased_at


def hello(customer: Customer) -> None:
    try:
        conversations.current(customer, "en")
    finally:
        connection.close()


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def told_and_closed(customer: Customer, told: Told) -> None:
    conversation = told(customer)
    Conversation.objects.filter(id=conversation.id).update(closed_at=timezone.now())


def test_erasing_is_recorded_with_who_and_why(nora: Customer, dana: User) -> None:
    erasure.erase(nora, dana, "letter of 3 May")
    entry = AuditEntry.objects.get()
    assert entry.actor == f"staff:{dana.pk}"
    assert audit.reason(entry) == "letter of 3 May"
