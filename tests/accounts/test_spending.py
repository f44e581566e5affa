"""The switch that stops all spending."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts import audit, keys, limits, spending
from accounts.models import AuditEntry, Customer, User
from accounts.sealing import CannotUnseal


def told(action: str, **options: str) -> str:
    out = StringIO()
    call_command("spending", action, stdout=out, **options)
    return out.getvalue()


def test_spending_is_stopped_for_all_and_allowed_again(alice: Customer, dana: User) -> None:
    assert not limits.binding(alice).stopped
    assert spending.stop(dana, "a loop")
    assert limits.binding(alice).stopped
    stop = spending.stopped()
    assert stop is not None
    assert (stop.stopped_by, stop.stop_reason) == (str(dana), "a loop")
    assert spending.allow(dana)
    assert not limits.binding(alice).stopped
    assert spending.stopped() is None


def test_who_stopped_first_stays_named_and_all_is_audited(alice: Customer, dana: User) -> None:
    spending.stop(dana, "a loop")
    assert not spending.stop(None, "another reason")
    spending.allow(None)
    assert not spending.allow(None)
    entries = list(AuditEntry.objects.order_by("number"))
    assert [(one.action, one.actor_name) for one in entries] == [
        ("spending_stopped", str(dana)), ("spending_allowed", ""),
    ]  # fmt: skip
    assert audit.reason(entries[0]) == "a loop"
    assert entries[1].detail["before"]["by"] == str(dana)


@pytest.mark.django_db
def test_command_stops_with_a_reason_tells_and_allows() -> None:
    assert "allowed" in told("status")
    with pytest.raises(CommandError, match="why"):
        told("stop")
    assert spending.stopped() is None
    assert "by the command line: cost doubled" in told("stop", reason="cost doubled")
    assert "already" in told("stop", reason="again")
    assert "allowed" in told("allow")
    assert "Nothing was stopped" in told("allow")


@pytest.mark.django_db
def test_command_says_that_a_long_reason_is_cut() -> None:
    assert "first 200 characters" in told("stop", reason="x" * 201)
    told("allow")
    assert "first 200" not in told("stop", reason="x" * 200)


@pytest.mark.django_db
def test_command_with_other_keys_stops_all_the_same_and_allows_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def other_keys(purpose: str) -> bytes:
        raise CannotUnseal

    monkeypatch.setattr(keys, "key", other_keys)
    assert "by the command line: cost doubled" in told("stop", reason="cost doubled")
    assert "DATA_KEYS" in capsys.readouterr().err
    with pytest.raises(CommandError, match=r"DATA_KEYS.*Nothing was changed"):
        told("allow")
    assert spending.stopped() is not None
