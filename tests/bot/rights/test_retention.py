"""What time deletes: text of conversations at rest, old records of calls, visitors who left nothing."""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import audit, contact, identity, lookups
from accounts.models import AuditEntry, Customer, Site, User
from bot import events
from bot.desk import alert_rules, nights
from bot.models import Conversation, Message, RetentionRun, ToolCall, Turn, VaultEntry
from bot.rights import erasure, forget, retention
from config.celery import app
from tests.bot.rights.conftest import AGENT_SAID, EMAIL, NAME, ORDER, PHONE, PLANTED, Told, dump

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture(autouse=True)
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Conversations of which browsers were told that they are closed."""
    closed: list[object] = []
    monkeypatch.setattr(events, "closed", closed.append)
    return closed


def aged(conversation: Conversation, days: float, *, closed: bool = True) -> Conversation:
    """Let it have come to rest so many days ago."""
    at = NOW - timedelta(days=days)
    Conversation.objects.filter(id=conversation.id).update(active_at=at, closed_at=at if closed else None)
    return conversation


def called(conversation: Conversation, days: float, state: str = "done") -> ToolCall:
    call = ToolCall.objects.create(
        turn=conversation.turns.get(state="done"), call=f"{state} {days}", name="order_status", state=state
    )
    ToolCall.objects.filter(id=call.id).update(created_at=NOW - timedelta(days=days))
    return call


def test_what_is_at_rest_for_too_long_loses_its_text_and_key(nora: Customer, told: Told) -> None:
    old, young = aged(told(nora), 366), aged(told(nora), 364)
    retention.run(NOW)
    old.refresh_from_db()
    young.refresh_from_db()
    assert bytes(old.wrapped_key) == b""
    assert old.forgotten_at == NOW
    assert young.data_key
    for rows in (Message, VaultEntry):
        assert set(rows.objects.values_list("conversation", flat=True)) == {young.id}
    assert set(ToolCall.objects.values_list("turn__conversation", flat=True)) == {young.id}
    assert lookups.find(PHONE).get() == nora
    assert Turn.objects.filter(conversation=old, outcome="answered", input_tokens=120).exists()
    assert nora.email == EMAIL


def test_nothing_of_it_is_left_in_any_table(alice: Customer, told: Told) -> None:
    wrapped = bytes(aged(told(alice), 400).wrapped_key).hex()
    assert ORDER in dump()
    assert wrapped in dump()
    retention.run(NOW)
    after = dump()
    assert not [value for value in [*PLANTED, wrapped] if value in after]


def test_abandoned_conversations_are_closed_first(
    nora: Customer, told: Told, nobody_listens: list[object]
) -> None:
    abandoned = aged(told(nora), 400, closed=False)
    retention.run(NOW)
    abandoned.refresh_from_db()
    assert abandoned.closed_at
    assert abandoned.forgotten_at
    assert nobody_listens == [abandoned.id]


def test_a_site_that_keeps_everything_keeps_everything(nora: Customer, told: Told) -> None:
    Site.objects.update(text_days=None, call_days=None)
    conversation = aged(told(nora), 4000)
    called(conversation, 4000)
    retention.run(NOW)
    assert Message.objects.count() == 3
    assert ToolCall.objects.count() == 2
    assert RetentionRun.objects.get().text_before is None


def test_zero_days_never_cut_off_somebody_who_talks(nora: Customer, told: Told) -> None:
    Site.objects.update(text_days=0)
    talking = aged(told(nora), 0.9, closed=False)
    retention.run(NOW)
    talking.refresh_from_db()
    assert talking.forgotten_at is None
    retention.run(NOW + timedelta(days=1))
    talking.refresh_from_db()
    assert talking.forgotten_at


def test_a_conversation_that_goes_on_loses_its_old_part(nora: Customer, told: Told) -> None:
    Site.objects.update(call_days=None)
    conversation = told(nora)
    Conversation.objects.update(opened_at=NOW - timedelta(days=500))
    old = Message.objects.filter(author__in=["customer", "bot"])
    old.update(created_at=NOW - timedelta(days=366))
    called(conversation, 366)
    running = Turn.objects.create(conversation=conversation, state="running")
    asked = Message.objects.create(
        conversation=conversation, turn=running, author="customer", masked="still?"
    )
    Message.objects.filter(id=asked.pk).update(created_at=NOW - timedelta(days=366))
    assert [(due.conversations, due.messages, due.calls) for due in retention.look(NOW)] == [(0, 2, 1)]
    retention.run(NOW)
    assert set(Message.objects.values_list("author", "masked")) == {
        ("agent", AGENT_SAID),
        ("customer", "still?"),
    }
    assert ToolCall.objects.count() == 1
    conversation.refresh_from_db()
    assert conversation.data_key
    row = RetentionRun.objects.get()
    assert (row.conversations, row.messages, row.calls) == (0, 2, 1)


def test_old_records_of_calls_go_and_open_questions_stay(nora: Customer, told: Told) -> None:
    conversation = aged(told(nora), 1)
    ToolCall.objects.all().delete()
    kept = [
        called(conversation, 91, "proposed"),
        called(conversation, 91, "approved"),
        called(conversation, 89),
    ]
    for state in ("done", "failed", "declined", "expired"):
        called(conversation, 91, state)
    carrying = Turn.objects.create(conversation=conversation, state="running")
    kept.append(called(conversation, 92, "started"))
    ToolCall.objects.filter(id=kept[-1].id).update(carried_by=carrying)
    retention.run(NOW)
    assert set(ToolCall.objects.all()) == set(kept)
    assert Message.objects.count() == 3
    assert RetentionRun.objects.get().calls == 4


def test_each_site_has_its_own_days_and_its_own_proof(nora: Customer, told: Told) -> None:
    other = Site.objects.create(key="other", name="Other", default_tier=nora.site.default_tier, text_days=30)
    guest = identity.known_as(other, "guest")
    aged(told(nora), 31)
    theirs = aged(told(guest), 31)
    retention.run(NOW)
    assert [*Conversation.objects.exclude(forgotten_at=None)] == [theirs]
    rows = {row.site: row for row in RetentionRun.objects.all()}
    assert (rows["other"].conversations, rows["other"].messages, rows["other"].calls) == (1, 3, 1)
    assert rows["demo"].conversations == 0
    assert rows["other"].text_before == NOW - timedelta(days=30)
    assert all(row.finished_at for row in rows.values())
    entries = {entry.subject: entry for entry in AuditEntry.objects.filter(action="retention")}
    assert entries["site:other"].detail["messages"] == 3
    assert audit.verify().wrong is None


def test_a_second_run_on_the_same_day_changes_nothing(nora: Customer, told: Told) -> None:
    retention.run(NOW)
    left, log = dump(), audit.head()
    late = aged(told(nora), 400)
    before = dump()
    retention.run(NOW + timedelta(seconds=1))
    assert dump() == before != left
    assert audit.head() == log
    retention.run(NOW + timedelta(days=1))
    late.refresh_from_db()
    assert late.forgotten_at


def test_a_run_that_was_cut_short_goes_on_where_it_was(
    nora: Customer, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    for _ in range(3):
        aged(told(nora), 400)
    forgets, rounds = forget.forget, []

    def cut_short(*args: object) -> forget.Counts:
        rounds.append(args)
        if len(rounds) == 2:
            raise KeyboardInterrupt
        return forgets(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(forget, "forget", cut_short)
    with pytest.raises(KeyboardInterrupt):
        retention.run(NOW)
    assert RetentionRun.objects.get().finished_at is None
    assert Conversation.objects.exclude(forgotten_at=None).count() == 1
    retention.run(NOW + timedelta(minutes=5))
    row = RetentionRun.objects.get()
    assert (row.conversations, row.messages, row.calls) == (3, 9, 3)
    assert row.text_before == NOW - timedelta(days=365)
    assert AuditEntry.objects.get(action="retention").detail["conversations"] == 3


def test_only_one_process_is_at_it(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    assert retention.run(NOW)
    # PostgreSQL gives a lock to the same connection twice: somebody else's must be asked for.
    monkeypatch.setattr(retention, "_TRY", "SELECT %s IS NULL")
    assert not retention.run(NOW + timedelta(days=1))
    assert RetentionRun.objects.count() == 1
    with pytest.raises(CommandError, match="Another process"):
        call_command("forget_old")


def test_the_lock_is_given_back(site: Site) -> None:
    retention.run(NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone()[0] <= 1  # the audit log's own, until the transaction ends


def test_visitors_of_whom_nothing_is_left_go(site: Site, nora: Customer, told: Told) -> None:
    gone, here, talked, came = (identity.anonymous(site, "en", "a" * 32) for _ in range(4))
    aged(Conversation.objects.create(site=site, customer=came), 400)
    kept = aged(told(talked), 400)
    Customer.objects.exclude(id=here.id).update(seen_at=NOW - timedelta(days=8))
    retention.run(NOW)
    assert set(Customer.objects.filter(sub_digest="")) == {here, talked}
    assert Conversation.objects.get() == kept
    assert Customer.objects.filter(id=nora.id).exists()
    assert AuditEntry.objects.get(action="retention").detail["visitors"] == 2
    assert not Customer.objects.filter(id=gone.id).exists()


def test_visitors_who_cannot_come_back_are_not_written_to(site: Site, nora: Customer, told: Told) -> None:
    gone, reads_on, here = (identity.anonymous(site, "en", "a" * 32) for _ in range(3))
    for number, visitor in enumerate((gone, reads_on, here)):
        contact.leave(visitor, f"zoe{number}@example.org")
        aged(told(visitor), 400)
    aged(told(reads_on), 300)
    aged(told(nora), 400)
    Customer.objects.exclude(id=here.id).update(seen_at=NOW - timedelta(days=8))
    retention.run(NOW)
    gone.refresh_from_db()
    assert (gone.contact, gone.address) == ("", "")
    assert not lookups.find("zoe0@example.org").exists()
    for number, visitor in ((1, reads_on), (2, here)):
        visitor.refresh_from_db()
        assert (visitor.contact, visitor.address) == (f"zoe{number}@example.org", "a" * 32)
        assert lookups.find(visitor.contact).get() == visitor
    nora.refresh_from_db()
    assert nora.contact == EMAIL
    assert lookups.find(EMAIL).get() == nora


def test_what_a_late_worker_has_written_is_swept(nora: Customer, told: Told) -> None:
    conversation = aged(told(nora), 400)
    retention.run(NOW)
    ToolCall.objects.create(
        turn=conversation.turns.get(), call="late", name="x", arguments={"o": ORDER}, state="done"
    )
    retention.run(NOW + timedelta(days=1))
    assert not ToolCall.objects.exists()


def run(name: str, *arguments: str) -> str:
    said = StringIO()
    call_command(name, *arguments, stdout=said)
    return said.getvalue()


def test_dry_run_tells_and_deletes_nothing(nora: Customer, told: Told) -> None:
    called(aged(told(nora), 400), 400)
    assert run("forget_old", "--dry-run") == "demo: 1 conversations, 3 messages, 2 records of tool calls\n"
    assert Message.objects.count() == 3
    assert not RetentionRun.objects.exists()
    assert run("forget_old") == "demo: 1 conversations, 3 messages, 2 records of tool calls\n"
    assert not Message.objects.exists()


def test_beat_asks_for_it_every_hour() -> None:
    [entry] = [one for one in app.conf.beat_schedule.values() if one["task"] == "bot.tasks.forget_old"]
    assert entry["schedule"].hour == set(range(24))


def test_admins_see_last_night_and_are_warned_when_it_is_long_ago(
    client: Client, dana: User, site: Site
) -> None:
    client.force_login(dana)
    address = "/admin/bot/retentionrun/"
    assert "Nothing was due yet" in client.get(address).content.decode()
    retention.run(NOW)
    page = client.get(address).content.decode()
    assert "demo: 0 conversations forgotten, 0 messages and 0 records of tool calls deleted" in page
    assert "Nothing was deleted for" not in page
    assert late(NOW + timedelta(hours=25)) is False
    RetentionRun.objects.update(finished_at=NOW - timedelta(hours=27))
    assert "Nothing was deleted for 27 hours" in client.get(address).content.decode()
    assert late(NOW) is True


def late(now: datetime) -> bool:
    [reading] = alert_rules.RULES["retention"](now)
    return reading.crossed


def test_a_site_whose_run_never_ends_is_late(site: Site) -> None:
    Site.objects.update(created_at=NOW - timedelta(hours=30))
    assert nights.hours_since(NOW) == pytest.approx(30)
    RetentionRun.objects.create(site="demo", day=NOW.date())
    assert nights.hours_since(NOW) == pytest.approx(30)


def test_erased_customers_are_erased_again_after_a_restore(
    nora: Customer, told: Told, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(nora)
    erasure.erase(nora, nora, "")
    kept = tmp_path / "erased.txt"
    kept.write_text(run("erase_again", "--list"))
    assert str(nora.id) in kept.read_text()
    # Whoever came back since keeps what was said.
    back = told(nora)
    assert "0 done again" in run("erase_again", "--from", str(kept))
    assert Message.objects.filter(conversation=back).count() == 3
    # A backup from before brings them back.
    Customer.objects.update(erased_at=None)
    assert "1 done again" in run("erase_again", "--from", str(kept))
    assert NAME not in dump()
    assert not Message.objects.exists()
    assert "0 done again" in run("erase_again")
    kept.write_text("yesterday nora\n")
    with pytest.raises(CommandError, match="Line 1"):
        run("erase_again", "--from", str(kept))
