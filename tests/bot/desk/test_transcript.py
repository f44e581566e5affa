"""What the desk shows of one conversation."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import User
from bot.desk import transcript
from bot.errors import Unknown
from bot.models import Conversation, Message, ToolCall, Turn

Say = Callable[..., Message]

pytestmark = pytest.mark.django_db


@pytest.fixture
def answered(conversation: Conversation) -> Turn:
    """A turn that asked a tool and answered within two seconds."""
    queued = timezone.now()
    turn = Turn.objects.create(
        conversation=conversation,
        state="done",
        outcome="answered",
        source="model",
        model="gpt-4o-mini",
        input_tokens=900,
        output_tokens=60,
        cost=Decimal("0.000171"),
        first_text_at=queued + timedelta(seconds=0.5),
        finished_at=queued + timedelta(seconds=2),
    )
    Turn.objects.filter(id=turn.id).update(queued_at=queued)
    ToolCall.objects.create(
        turn=turn, call="call_1", name="order_status", arguments={"email": "<EMAIL_1>"}, state="done"
    )
    Message.objects.create(
        conversation=conversation, author="bot", turn=turn, masked="On its way.", source="model"
    )
    return turn


def test_reply_tells_how_it_came_about(bob: User, conversation: Conversation, answered: Turn) -> None:
    facts = transcript.read(bob, conversation.id).entries[0].facts
    assert facts is not None
    assert (facts.source, facts.model, facts.input_tokens, facts.output_tokens) == (
        "model",
        "gpt-4o-mini",
        900,
        60,
    )
    assert (facts.first_text_seconds, facts.seconds, facts.cost) == (0.5, 2.0, Decimal("0.000171"))
    assert [(tool.name, tool.state, tool.arguments) for tool in facts.tools] == [
        ("order_status", "done", {"email": "<EMAIL_1>"})
    ]


def test_transcript_takes_five_queries_however_long_it_is(
    bob: User,
    conversation: Conversation,
    answered: Turn,
    say: Say,
    django_assert_num_queries: Any,
) -> None:
    for _ in range(10):
        say(conversation, "Hello", "Hello")
    with django_assert_num_queries(5):
        shown = transcript.read(bob, conversation.id)
    assert shown.totals == transcript.Totals(1, 960, Decimal("0.000171"))


def test_transcript_is_paged(
    bob: User, conversation: Conversation, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcript, "PAGE", 2)
    for number in range(3):
        say(conversation, f"Message {number}")
    newest = transcript.read(bob, conversation.id)
    assert ([entry.text for entry in newest.entries], newest.more) == (["Message 1", "Message 2"], True)
    older = transcript.read(bob, conversation.id, newest.entries[0].pk)
    assert ([entry.text for entry in older.entries], older.more) == (["Message 0"], False)


def test_mark_changes_with_every_change_a_page_must_show(
    bob: User, conversation: Conversation, say: Say
) -> None:
    marks = [transcript.read(bob, conversation.id).mark]
    message = say(conversation, None, "Hello")
    marks.append(transcript.read(bob, conversation.id).mark)
    Message.objects.filter(pk=message.pk).update(masked="Hello")
    marks.append(transcript.read(bob, conversation.id).mark)
    Conversation.objects.update(handler="queue")
    marks.append(transcript.read(bob, conversation.id).mark)
    Turn.objects.create(conversation=conversation, state="running")
    marks.append(transcript.read(bob, conversation.id).mark)
    assert len(set(marks)) == 5
    assert transcript.read(bob, conversation.id).mark == marks[-1]


def test_entry_of_another_conversation_is_unknown(conversation: Conversation, say: Say) -> None:
    message = say(conversation, "Hello")
    assert transcript.entry(conversation.id, message.uuid).text == "Hello"
    with pytest.raises(Unknown):
        transcript.entry(uuid4(), message.uuid)
