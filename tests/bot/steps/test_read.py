"""What was said is scrubbed by calls that the scrubber can hold, whatever comes together."""

from collections.abc import Sequence
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet

from accounts.models import Customer
from bot import tasks
from bot.models import Conversation, Message, Turn
from bot.privacy import veil
from bot.privacy.engine import MAX_CHARACTERS
from bot.privacy.errors import PrivacyError, ScrubberDown, TextTooLong, VaultError
from bot.privacy.lookalike import harmless
from bot.privacy.placeholders import Span
from bot.privacy.rules import Rules
from bot.steps import read
from bot.steps.work import Work
from config.env import Env
from tests.bot.privacy.doubles import InProcess

pytestmark = pytest.mark.django_db


class Narrow(InProcess):
    """Holds no more by one call than the real one."""

    def detect(self, texts: Sequence[str], language: str, site: Rules) -> list[list[Span]]:
        if sum(map(len, texts)) > MAX_CHARACTERS:
            raise TextTooLong
        return super().detect(texts, language, site)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Narrow:
    engine = Narrow()
    monkeypatch.setattr(veil, "engine", lambda: engine)
    return engine


@pytest.fixture
def turn(alice: Customer) -> Turn:
    conversation = Conversation.objects.create(site=alice.site, customer=alice)
    return Turn.objects.create(conversation=conversation)


def say(turn: Turn, text: str) -> Message:
    conversation = turn.conversation
    sealed = Fernet(conversation.data_key).encrypt(text.encode())
    return Message.objects.create(
        uuid=uuid4(), conversation=conversation, author="customer", sealed=sealed, turn=turn
    )


def test_messages_too_long_for_one_call_are_scrubbed_by_several(turn: Turn, narrow: Narrow) -> None:
    for number in range(10):
        say(turn, f"{number}:" + " write to zoe@harbor.test" * 150)

    work = Work(turn, 1, kept=None)  # type: ignore[arg-type]  # only for streaming
    read.scrub(work)

    assert [len(call) for call in narrow.calls] == [3, 3, 3, 1]
    masked = list(Message.objects.order_by("id").values_list("masked", flat=True))
    assert masked == work.question.split("\n")
    assert masked == [f"{number}:" + " write to <EMAIL_1>" * 150 for number in range(10)]


def test_longest_message_allowed_is_scrubbed_whatever_it_holds(turn: Turn, narrow: Narrow) -> None:
    (most,) = (one.le for one in Env.model_fields["MESSAGE_MAX_CHARS"].metadata if hasattr(one, "le"))
    assert most == read.MOST_CHARACTERS
    text = "<IP_1" * (most // 5)
    assert len(harmless(text)) > most
    said = say(turn, text)

    tasks.scrub_message(said.pk)

    said.refresh_from_db()
    assert said.masked == "‹IP 1›" * (most // 5)


@pytest.mark.parametrize("error", [ScrubberDown, TextTooLong, VaultError])
def test_message_that_cannot_be_scrubbed_stays_sealed(
    turn: Turn, narrow: Narrow, monkeypatch: pytest.MonkeyPatch, error: type[PrivacyError]
) -> None:
    def detect(*call: object) -> None:
        raise error

    monkeypatch.setattr(narrow, "detect", detect)
    said = say(turn, "write to zoe@harbor.test")

    tasks.scrub_message(said.pk)

    said.refresh_from_db()
    assert said.masked is None
