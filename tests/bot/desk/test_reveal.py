"""Revealing: one value or message, for a reason, and never without an entry in the audit log."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEntry, Customer, User
from bot.desk import reveal
from bot.errors import Unknown
from bot.models import Conversation, Message
from bot.privacy.vault import Vault

Say = Callable[..., Message]
REASON = "To call about a late parcel"

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve(bob: User) -> User:
    """An agent with the right; Bob has none."""
    return User.objects.create_user("eve@example.com", "a-long-password", name="Eve")


@pytest.fixture
def agent(eve: User) -> User:
    eve.may_reveal = True
    eve.save()
    return eve


@pytest.fixture
def private(conversation: Conversation) -> Conversation:
    """Alice has told her phone number."""
    vault = Vault(conversation.id, conversation.data_key)
    assert vault.placeholder("PHONE", "0151 2345678") == "<PHONE_1>"
    return conversation


def log() -> list[AuditEntry]:
    return list(AuditEntry.objects.order_by("number"))


def test_value_is_shown_and_kept_in_the_log(private: Conversation, agent: User) -> None:
    assert reveal.value(agent, private.id, "<PHONE_1>", f"  {REASON}\n") == "0151 2345678"

    [entry] = log()
    assert (entry.actor, entry.action) == (f"staff:{agent.id}", "reveal_value")
    assert (entry.subject, entry.detail) == (f"conversation:{private.id}", {"placeholder": "<PHONE_1>"})
    assert audit.reason(entry) == REASON


def test_message_is_shown_as_it_was_typed(private: Conversation, agent: User, say: Say) -> None:
    typed = say(private, "Call <PHONE_1>", "Call 0151 2345678")

    assert reveal.message(agent, private.id, typed.uuid, REASON) == "Call 0151 2345678"
    assert [(entry.action, entry.detail) for entry in log()] == [
        ("reveal_message", {"message": str(typed.uuid)})
    ]


def test_message_of_the_bot_is_shown_as_its_customer_reads_it(
    private: Conversation, agent: User, say: Say
) -> None:
    said = say(private, "I noted <PHONE_1> and <EMAIL_9>", author="bot")

    assert reveal.message(agent, private.id, said.uuid, REASON) == "I noted 0151 2345678 and [e-mail address]"


def test_message_that_is_not_scrubbed_yet_can_be_shown(private: Conversation, agent: User, say: Say) -> None:
    assert reveal.message(agent, private.id, say(private, None, "I am Alice").uuid, REASON) == "I am Alice"


def test_only_who_has_the_right_may_reveal(private: Conversation, bob: User, dana: User, say: Say) -> None:
    typed = say(private, "Call <PHONE_1>", "Call 0151 2345678")

    with pytest.raises(reveal.NotAllowed):
        reveal.value(bob, private.id, "<PHONE_1>", REASON)
    with pytest.raises(reveal.NotAllowed):
        reveal.message(bob, private.id, typed.uuid, REASON)
    with pytest.raises(reveal.NotAllowed):
        reveal.history(bob, private.id)
    assert not log()
    assert reveal.value(dana, private.id, "<PHONE_1>", REASON)


@pytest.mark.parametrize("reason", ["", "    ", " ok  ", "a\n\n\tb", "x" * 201])
def test_no_reason_shows_nothing(private: Conversation, agent: User, say: Say, reason: str) -> None:
    typed = say(private, "Call <PHONE_1>", "Call 0151 2345678")

    with pytest.raises(reveal.NoReason):
        reveal.value(agent, private.id, "<PHONE_1>", reason)
    with pytest.raises(reveal.NoReason):
        reveal.message(agent, private.id, typed.uuid, reason)
    assert not log()


@pytest.mark.parametrize("placeholder", ["<PHONE_2>", "<EMAIL_1>", "PHONE_1", "", "<PHONE_1> ", "<phone_1>"])
def test_unknown_placeholders_show_nothing(private: Conversation, agent: User, placeholder: str) -> None:
    with pytest.raises(Unknown):
        reveal.value(agent, private.id, placeholder, REASON)
    assert not log()


def test_values_of_another_conversation_stay_there(
    private: Conversation, carol: Customer, agent: User, say: Say
) -> None:
    other = Conversation.objects.create(site=carol.site, customer=carol)
    typed = say(private, "Call <PHONE_1>", "Call 0151 2345678")

    with pytest.raises(Unknown):
        reveal.value(agent, other.id, "<PHONE_1>", REASON)
    with pytest.raises(Unknown):
        reveal.message(agent, other.id, typed.uuid, REASON)
    with pytest.raises(Unknown):
        reveal.value(agent, uuid4(), "<PHONE_1>", REASON)
    assert not log()


def test_a_forgotten_conversation_has_nothing_to_show(private: Conversation, agent: User, say: Say) -> None:
    typed = say(private, "Call <PHONE_1>", "Call 0151 2345678")
    private.forgotten_at, private.wrapped_key = timezone.now(), b""
    private.save()

    with pytest.raises(Unknown):
        reveal.value(agent, private.id, "<PHONE_1>", REASON)
    with pytest.raises(Unknown):
        reveal.message(agent, private.id, typed.uuid, REASON)
    assert not log()


def test_nothing_is_shown_when_the_log_cannot_be_written(
    private: Conversation, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **detail: object) -> None:
        raise OSError

    monkeypatch.setattr(audit, "record", full)
    with pytest.raises(OSError):  # noqa: PT011
        reveal.value(agent, private.id, "<PHONE_1>", REASON)


def test_history_tells_who_saw_what_and_why(
    private: Conversation, agent: User, dana: User, say: Say, carol: Customer
) -> None:
    typed = say(private, "Call <PHONE_1>", "Call 0151 2345678")
    reveal.value(agent, private.id, "<PHONE_1>", REASON)
    reveal.message(dana, private.id, typed.uuid, "A complaint")
    audit.record(dana, "export", f"conversation:{private.id}", reason="Something else")

    def told(conversation: UUID) -> list[tuple[str, str, str, str]]:
        return [(one.name, one.kind, one.number, one.reason) for one in reveal.history(dana, conversation)]

    assert told(private.id) == [("Dana", "", "", "A complaint"), ("Eve", "PHONE", "1", REASON)]
    assert told(uuid4()) == []
