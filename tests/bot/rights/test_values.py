"""Of conversations that go on, what hides behind a placeholder goes with the last text that names it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Customer
from bot.models import Conversation, Message, ToolCall, Turn, VaultEntry
from bot.rights import retention
from tests.bot.rights.conftest import Told

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def going_on(conversation: Conversation, days: float) -> Conversation:
    """Let it have begun long ago; something was said there so many days ago."""
    Conversation.objects.update(opened_at=NOW - timedelta(days=500), active_at=NOW - timedelta(days=days))
    return conversation


def named_in(conversation: Conversation, where: str) -> None:
    """Let something of lately name the phone; `told` has <PHONE_1> and <PERSON_1>."""
    turn = conversation.turns.get()
    facts: dict[str, Any] = {"conversation": conversation, "author": "system", "masked": ""}
    match where:
        case "text":
            Message.objects.create(**facts | {"masked": "We call <PHONE_1>."})
        case "card":
            Message.objects.create(**facts, cards=[{"kind": "order", "data": {"at": "<PHONE_1>"}}])
        case "arguments" | "result":
            ToolCall.objects.create(turn=turn, call="2", state="done", **{where: {"to": "x <PHONE_1>"}})
        case "lines":
            ToolCall.objects.create(turn=turn, call="2", state="done", lines=["for <PHONE_1>"])


@pytest.mark.parametrize("where", ["", "text", "card", "arguments", "result", "lines"])
def test_values_go_that_only_the_old_part_named(nora: Customer, told: Told, where: str) -> None:
    conversation = going_on(told(nora), 2)
    for rows in (Message, ToolCall):
        rows.objects.update(created_at=NOW - timedelta(days=400))
    Message.objects.create(conversation=conversation, author="system", masked="<PHONE_11> <IP_1>")
    named_in(conversation, where)
    retention.run(NOW)
    left = {str(entry) for entry in VaultEntry.objects.all()}
    assert left == ({"<PHONE_1>"} if where else set())


@pytest.mark.parametrize("busy", ["talking", "unread", "running"])
def test_values_stay_while_somebody_may_be_about_to_name_them(nora: Customer, told: Told, busy: str) -> None:
    conversation = going_on(told(nora), 0.5 if busy == "talking" else 2)
    Message.objects.update(created_at=NOW - timedelta(days=400))
    ToolCall.objects.all().delete()
    if busy == "unread":
        Message.objects.create(conversation=conversation, author="customer")
    if busy == "running":
        Turn.objects.create(conversation=conversation, state="running")
    retention.run(NOW)
    assert VaultEntry.objects.count() == 2
