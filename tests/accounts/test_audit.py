"""The audit log: an unbroken chain that shows whatever is changed, taken out or cut off afterwards."""

from collections.abc import Callable
from io import StringIO
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts import audit
from accounts.models import AuditEntry, Customer, User

Verify = Callable[..., tuple[int, str]]


@pytest.fixture
def entries(bob: User, alice: Customer) -> list[AuditEntry]:
    """Five deeds, read back from the log."""
    audit.record(bob, "reveal_value", f"conversation:{uuid4()}", reason="Parcel was lost", kind="PHONE")
    audit.record(alice, "export", f"customer:{alice.id}")
    audit.record(None, "retention", "site:demo", conversations=3, days=1.5, kept=None, by={"z": 1, "a": [2]})
    audit.record(bob, "erase", f"customer:{alice.id}", reason="她要求删除 <script>")
    audit.record(bob, "rotate_keys", "deployment")
    return list(AuditEntry.objects.order_by("number"))


@pytest.fixture
def verify() -> Verify:
    """The command: its exit code and what it said."""

    def run(*options: str) -> tuple[int, str]:
        said = StringIO()
        try:
            call_command("verify_audit", *options, stdout=said, stderr=said)
        except SystemExit as ended:
            return int(ended.code or 0), said.getvalue()
        return 0, said.getvalue()

    return run


def tamper(sql: str, *values: int) -> None:
    """Change the log as somebody would who may do everything in the database."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
        cursor.execute(sql, values)
        cursor.execute("ALTER TABLE accounts_auditentry ENABLE TRIGGER audit_keeps_rows")


def test_record_keeps_who_what_when_and_why(entries: list[AuditEntry], bob: User, alice: Customer) -> None:
    first, second, third, *_ = entries

    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5]
    assert (first.actor, first.actor_name, first.action) == (f"staff:{bob.id}", "Bob", "reveal_value")
    assert audit.reason(first) == "Parcel was lost"
    assert b"Parcel" not in bytes(first.sealed_reason)
    assert first.detail == {"kind": "PHONE"}
    assert (second.actor, second.actor_name) == (f"customer:{alice.id}", "")
    assert (third.actor, audit.reason(third)) == ("system", "")
    assert audit.verify() == audit.Verified(5, audit.head(), None)


def test_record_stands_or_falls_with_the_deed(entries: list[AuditEntry], bob: User) -> None:
    def deed() -> None:
        audit.record(bob, "export", "customer:nobody")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        deed()

    assert audit.head().number == 5
    audit.record(bob, "export", "customer:nobody")
    assert audit.verify() == audit.Verified(6, audit.head(), None)


CHANGES = [
    "at = at + interval '1 microsecond'",
    "actor = 'staff:0'",
    "actor_name = 'Eve'",
    "action = 'export'",
    "subject = 'site:demo'",
    "sealed_reason = ''",
    "sealed_reason = 'gAAAAA'",
    "sealed_reason = (SELECT sealed_reason FROM accounts_auditentry WHERE number = 4)",
    'detail = \'{"kind": "EMAIL"}\'',
    "digest = decode(repeat('00', 32), 'hex')",
    "number = 6",
]


def test_verify_names_the_first_entry_that_was_changed(entries: list[AuditEntry]) -> None:
    for change in CHANGES:
        with transaction.atomic():
            tamper(f"UPDATE accounts_auditentry SET {change} WHERE number = 1")  # noqa: S608
            assert audit.verify().wrong == 1, change
            transaction.set_rollback(True)
    assert audit.verify().wrong is None


@pytest.mark.parametrize("taken", [1, 3])
def test_verify_names_the_entry_that_was_taken_out(entries: list[AuditEntry], taken: int) -> None:
    tamper("DELETE FROM accounts_auditentry WHERE number = %s", taken)
    assert audit.verify().wrong == taken
    tamper("UPDATE accounts_auditentry SET number = number - 1 WHERE number > %s", taken)
    assert audit.verify().wrong == taken


def test_a_kept_head_shows_that_the_end_was_cut_off(
    entries: list[AuditEntry], verify: Verify, bob: User
) -> None:
    kept = audit.head()
    tamper("DELETE FROM accounts_auditentry WHERE number > 3")

    assert audit.verify().wrong is None
    assert audit.verify(kept) == audit.Verified(3, audit.head(), 4)
    code, said = verify("--head", str(kept))
    assert code == 1
    assert "entry 4" in said
    # New deeds over the gap make a chain that holds again, but not the one whose head was kept.
    for _ in range(3):
        audit.record(bob, "export", "customer:nobody")
    assert audit.verify().wrong is None
    assert audit.verify(kept).wrong == 5


def test_the_command_says_how_far_the_log_holds(entries: list[AuditEntry], verify: Verify) -> None:
    kept = str(audit.head())

    code, said = verify("--head", kept)
    assert (code, "5 entries" in said, kept in said) == (0, True, True)

    tamper("UPDATE accounts_auditentry SET actor_name = 'Eve' WHERE number = 4")
    code, said = verify()
    assert (code, "entry 4" in said) == (1, True)


def test_an_empty_log_verifies_until_a_head_was_kept(db: None, verify: Verify) -> None:
    code, said = verify()
    assert (code, "0 entries" in said) == (0, True)

    assert verify("--head", f"1:{'00' * 32}")[0] == 1


def test_the_command_refuses_what_is_no_head(db: None, verify: Verify) -> None:
    for head in ("5", "x:00", "5:", "5:zz", f"-1:{'00' * 32}"):
        with pytest.raises(CommandError, match="--head"):
            verify(f"--head={head}")


def test_the_database_refuses_any_change(entries: list[AuditEntry]) -> None:
    for change in (
        "UPDATE accounts_auditentry SET actor_name = 'Eve'",
        "DELETE FROM accounts_auditentry",
        "DELETE FROM accounts_auditentry WHERE number = 0",
        "TRUNCATE accounts_auditentry",
    ):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(change)
    assert audit.verify() == audit.Verified(5, audit.head(), None)


@pytest.mark.django_db(transaction=True)
def test_eight_threads_that_record_at_once_leave_no_gaps() -> None:
    together = Barrier(8)

    def work() -> None:
        together.wait(timeout=10)
        for _ in range(5):
            audit.record(None, "retention", "site:demo")
        connection.close()

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert audit.verify() == audit.Verified(40, audit.head(), None)
