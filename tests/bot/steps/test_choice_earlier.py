"""What a conversation tells about its last question; what earlier turns were is written down here by hand."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import Customer
from bot.models import Conversation, Message, ToolCall, Turn
from bot.steps import need
from bot.steps.work import Work
from bot.tools import registry
from bot.tools.knowledge import search_knowledge
from demo import tools

pytestmark = pytest.mark.django_db

ASKED = "Do you ship to Canada?"


@pytest.fixture(autouse=True)
def shop_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = {tool.name: tool for tool in (search_knowledge, *tools.TOOLS)}
    monkeypatch.setattr(registry, "offered", lambda: offered)


@pytest.fixture
def conversation(alice: Customer) -> Conversation:
    return Conversation.objects.create(site=alice.site, customer=alice)


Ended = Callable[..., Turn]


@pytest.fixture
def ended(conversation: Conversation) -> Ended:
    """A turn that is over: what was asked, and how it was answered and rated."""

    def end(question: str = "Hello", rating: int | None = None, **fields: Any) -> Turn:
        how = {"outcome": "answered", "model_class": "small", **fields}
        turn = Turn.objects.create(conversation=conversation, state=Turn.State.DONE, **how)
        for author, text, rated in (("customer", question, None), ("bot", "An answer.", rating)):
            Message.objects.create(
                uuid=uuid4(), conversation=conversation, turn=turn, author=author, masked=text, rating=rated
            )
        return turn

    return end


def signs(conversation: Conversation, question: str = ASKED, answers: Turn | None = None) -> tuple[str, ...]:
    turn = Turn.objects.create(
        conversation=conversation, state=Turn.State.RUNNING, attempt=1, answers=answers
    )
    work = Work(turn, 1, kept=None, question=question)  # type: ignore[arg-type]
    return need.of(work, "large").signs


def test_first_question_stands_alone(conversation: Conversation) -> None:
    assert signs(conversation) == ()


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({}, ()),
        ({"outcome": "failed", "reason": "ceiling of rounds"}, ("failed",)),
        ({"outcome": "degraded", "reason": "model_down"}, ("failed",)),
        ({"outcome": "degraded", "reason": "usage_limit"}, ()),
        ({"outcome": "degraded", "reason": "busy"}, ()),
        ({"outcome": "degraded", "reason": "spending_stopped"}, ()),
        ({"outcome": "stopped"}, ()),
        ({"rating": -1}, ("disliked",)),
        ({"rating": 1}, ()),
        ({"question": "do you ship to canada"}, ("again",)),
        ({"question": "Do you ship tents to Norway?"}, ()),
    ],
)
def test_earlier_turn_tells(
    conversation: Conversation, ended: Ended, how: dict[str, Any], told: tuple[str, ...]
) -> None:
    ended(**how)
    assert signs(conversation) == told


def test_only_the_last_answer_s_rating_counts(conversation: Conversation, ended: Ended) -> None:
    ended(rating=-1)
    ended()
    assert signs(conversation) == ()


def test_failure_is_forgotten_after_some_turns(conversation: Conversation, ended: Ended) -> None:
    ended(outcome="failed")
    for _ in range(3):
        ended()
    assert signs(conversation) == ("failed",)
    ended()
    Turn.objects.filter(state=Turn.State.RUNNING).delete()
    assert signs(conversation) == ()


def test_repetition_is_seen_in_chinese(conversation: Conversation, ended: Ended) -> None:
    ended("羽绒服应该怎么洗？")
    assert signs(conversation, "羽绒服怎么洗") == ("again",)


@pytest.mark.parametrize(
    ("how", "question", "told"),
    [
        ({"model_class": "large"}, "Are there blue ones?", ("goes_on",)),
        ({"model_class": "large"}, "Thanks, bye!", ()),
        ({"model_class": "small"}, "Are there blue ones?", ()),
        ({"model_class": "", "outcome": "awaiting_approval"}, "Are there blue ones?", ("goes_on",)),
        ({"model_class": "large"}, "What is the warranty that you give on backpacks and tents?", ()),
    ],
)
def test_short_question_goes_on_from_a_harder_one(
    conversation: Conversation, ended: Ended, how: dict[str, Any], question: str, told: tuple[str, ...]
) -> None:
    ended(**how)
    assert signs(conversation, question) == told


@pytest.mark.parametrize(("tool", "told"), [("my_orders", ("goes_on",)), ("search_knowledge", ())])
def test_tools_of_the_site_made_the_last_turn_harder(
    conversation: Conversation, ended: Ended, tool: str, told: tuple[str, ...]
) -> None:
    ToolCall.objects.create(turn=ended(), call="1", name=tool, state=ToolCall.State.DONE)
    assert signs(conversation, "Are there blue ones?") == told


def test_question_whose_answer_was_put_off_is_not_repeated(conversation: Conversation, ended: Ended) -> None:
    promise = ended(ASKED, outcome="degraded", reason="busy")
    assert signs(conversation, answers=promise) == ()


def test_other_conversations_tell_nothing(conversation: Conversation, ended: Ended, carol: Customer) -> None:
    ended(ASKED, outcome="failed", rating=-1)
    assert signs(Conversation.objects.create(site=carol.site, customer=carol)) == ()


def test_visitor_needs_no_lookup_that_only_customers_have(conversation: Conversation) -> None:
    assert signs(conversation, "Where is my order?") == ("tools",)
    customer = conversation.customer
    customer.sub_digest = ""
    assert not customer.verified
    turn = Turn.objects.create(conversation=conversation, state=Turn.State.QUEUED)
    assert need.of(Work(turn, 1, kept=None, question="Where is my order?"), "large").signs == ()  # type: ignore[arg-type]
