"""Each text goes through detection once, whatever happens to its turn afterwards."""

from collections.abc import Sequence

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from bot.desk import handover
from bot.llm.base import ToolRequest
from bot.llm.errors import ServerFault
from bot.llm.scripted import Scripted
from bot.models import Conversation, Message, Turn
from bot.privacy.engine import Engine
from bot.privacy.placeholders import Span
from bot.privacy.rules import Rules
from bot.steps import read
from demo.seed import seed_shop
from tests.bot.conftest import Connect

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def detected(scrubber: None, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The texts of every call that reached the detecting process."""
    calls: list[list[str]] = []
    detect = Engine.detect

    def heard(engine: Engine, texts: Sequence[str], language: str, rules: Rules) -> list[list[Span]]:
        if any(texts):
            calls.append(list(texts))
        return detect(engine, texts, language, rules)

    monkeypatch.setattr(Engine, "detect", heard)
    return calls


async def test_three_turns_are_as_many_calls_as_texts_are_new(
    tab: Connect, model: Scripted, worker: None, detected: list[list[str]], bob: User
) -> None:
    await sync_to_async(seed_shop)()
    model.add([ToolRequest("a", "my_orders", "{}")], "Two orders, <PERSON_1>.")
    model.add(*[ServerFault("gone")] * 3)
    model.add("Gladly.")
    async with tab("alice") as alice:
        await alice.say("Where are my purple submarines?")
        await alice.until("final")
        await alice.say("Are they really purple, those submarines?")
        assert (await alice.until("final"))["state"] == "degraded"
        await alice.say("Then send them to zoe@example.org please")
        await alice.until("final")
        assert [len(call) for call in detected if "submarines" in call[0] or "zoe" in call[0]] == [1, 1, 1]
        # The result of the tool is the fourth, all its texts at once.
        assert len(detected) == 4
        await alice.send("human")
        await alice.until("status")
        conversation = await Conversation.objects.aget()
        await sync_to_async(handover.take_over)(bob, conversation.id)
        said = await sync_to_async(handover.reply)(
            bob, conversation.id, "It is on its way to zoe@example.org"
        )
        for _ in range(2):
            await sync_to_async(read.scrub_one)(said.pk)
        assert detected[4:] == [["It is on its way to zoe@example.org"]]
        await said.arefresh_from_db()
        assert said.masked == "It is on its way to <EMAIL_1>"
    assert await Turn.objects.acount() == 3
    assert not await Message.objects.filter(masked=None).aexists()
