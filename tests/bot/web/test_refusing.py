"""A card number typed in the chat: asked not to, and kept nowhere."""

import json

import pytest
from asgiref.sync import sync_to_async
from cryptography.fernet import Fernet
from django.db import connection

from accounts.models import Lookup, Site, User
from bot.desk import handover
from bot.llm.scripted import Scripted
from bot.models import Conversation, Message, VaultEntry
from bot.steps import read
from tests.bot.conftest import Connect

pytestmark = pytest.mark.django_db(transaction=True)

CARD = "4111 1111 1111 1111"
SAID = f"My card is {CARD}. Where is HP-10423? alice@example.com"
LEFT = "My card is [card number removed]. Where is HP-10423? alice@example.com"
TOLD = "For your safety, please do not send card numbers here. I have removed this from your message."
MASKED = "My card is [card number removed]. Where is HP-10423? <EMAIL_1>"


def everything_kept() -> str:
    """All that is stored of conversations, what is sealed opened."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(m)::text FROM bot_message m UNION ALL SELECT row_to_json(t)::text"
                       " FROM bot_toolcall t")  # fmt: skip
        rows = [row for (row,) in cursor.fetchall()]
    for conversation in Conversation.objects.all():
        key = Fernet(conversation.data_key)
        sealed = [*Message.objects.filter(conversation=conversation).values_list("sealed", flat=True)]
        sealed += VaultEntry.objects.filter(conversation=conversation).values_list("sealed", flat=True)
        rows += [key.decrypt(bytes(one)).decode() for one in sealed if one]
    return "\n".join(rows)


async def test_refused_card_number_is_dropped_told_once_and_the_turn_goes_on(
    tab: Connect, model: Scripted, worker: None
) -> None:
    model.add("It is on its way.")
    async with tab("alice") as alice, tab("alice") as other:
        uuid = await alice.say(SAID)
        final = await alice.until("final")
        assert final["message"]["text"] == "It is on its way."
        await other.until("final")
        for seen in (alice, other):
            shown = [frame["message"] for frame in seen.frames if frame["type"] == "message"]
            assert [one["text"] for one in shown if one["id"] == uuid] == [SAID, LEFT]
            told = [one["text"] for one in shown if one["author"] == "system"]
            assert told == [TOLD]
        assert model.requests[0].messages[-1] == {"role": "user", "content": MASKED}
        assert "1111" not in json.dumps(model.requests[0].messages)
    assert "1111" not in await sync_to_async(everything_kept)()
    assert [entry.kind async for entry in VaultEntry.objects.all()] == ["EMAIL"]
    assert sorted([one.kind async for one in Lookup.objects.all()]) == ["email", "order"]


async def test_masked_card_number_stays_the_customers(
    tab: Connect, model: Scripted, worker: None, site: Site
) -> None:
    site.masking = {"CARD": "mask", "EMAIL": "keep"}
    await site.asave()
    model.add("I see <CARD_1>.")
    async with tab("alice") as alice:
        uuid = await alice.say(SAID)
        final = await alice.until("final")
        assert final["message"]["text"] == f"I see {CARD}."
        shown = [frame["message"] for frame in alice.frames if frame["type"] == "message"]
        assert [(one["id"], one["text"]) for one in shown] == [(uuid, SAID)]
    content = model.requests[0].messages[-1]["content"]
    assert content == "My card is <CARD_1>. Where is HP-10423? alice@example.com"


@pytest.mark.usefixtures("worker")
async def test_agent_who_sends_a_card_number_is_told_too(tab: Connect, bob: User) -> None:
    async with tab("alice") as alice:
        await alice.send("human")
        status = await alice.until("status")
        assert status["handler"] == "queue"
        conversation = await Conversation.objects.aget()
        await sync_to_async(handover.take_over)(bob, conversation.id)
        said = await sync_to_async(handover.reply)(bob, conversation.id, f"Bob here, is it {CARD}?")
        while (await alice.until("message"))["message"]["text"] != f"Bob here, is it {CARD}?":
            pass
        await sync_to_async(read.scrub_one)(said.pk)
        shown = [(await alice.until("message"))["message"]["text"] for _ in range(2)]
        assert shown == [
            "Bob here, is it [card number removed]?",
            "A reply held something that is not kept in this chat (card numbers). It was removed.",
        ]
    await said.arefresh_from_db()
    assert said.masked == "Bob here, is it [card number removed]?"
    assert "1111" not in await sync_to_async(everything_kept)()
