"""Several messages in a row get one answer, to all of them, until the first word of it was seen."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async

from accounts.models import Hold, UsageEntry, Window
from bot import keeping
from bot.llm.base import ToolRequest
from bot.llm.scripted import Scripted
from bot.models import Conversation, Message, ToolCall, Turn
from demo.seed import seed_shop
from tests.bot.conftest import Connect, Tab
from tests.sockets import SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


async def asked(model: Scripted) -> None:
    assert await asyncio.to_thread(model.asked.acquire, timeout=SECONDS)


async def say(tab: Tab, text: str) -> str:
    """Say something; the turn that will answer it."""
    await tab.say(text)
    turn: str = (await tab.until("accepted"))["turn"]
    return turn


def heard(model: Scripted) -> list[str]:
    """What the customer said, as the model was told last."""
    return [str(one["content"]) for one in model.requests[-1].messages if one["role"] == "user"]


async def test_messages_before_the_first_text_are_answered_together(
    tab: Connect, model: Scripted, worker: None
) -> None:
    never = threading.Event()
    model.add([never, "Too early"], [never, "Too early, too"], "All at once")
    async with tab("alice") as alice:
        turn = await say(alice, "Do you have kayaks?")
        await asked(model)
        assert await say(alice, "In purple, I mean") == turn
        await asked(model)
        assert await say(alice, "For two") == turn
        final = await alice.until("final", turn=turn)
        assert final["message"]["text"] == alice.text() == "All at once"
    assert heard(model) == ["Do you have kayaks?", "In purple, I mean", "For two"]
    row = await Turn.objects.aget()
    assert (row.losses, row.outcome) == (0, "answered")
    assert await Message.objects.filter(author="bot").acount() == 1
    window = await Window.objects.aget()
    assert (window.held, window.settled) == (0, 1)
    # What was asked in vain is charged as well, once its worker has noticed.
    assert await asyncio.to_thread(keeping.keeper().wait_until_free, SECONDS)
    outcomes = UsageEntry.objects.order_by("id").values_list("outcome", flat=True)
    assert [one async for one in outcomes] == ["stopped", "stopped", "ok"]


async def test_message_after_the_first_text_makes_the_next_turn(
    tab: Connect, model: Scripted, worker: None
) -> None:
    go_on = threading.Event()
    model.add(["Kayaks ", go_on, "we have."], "In purple, too.")
    async with tab("alice") as alice:
        first = await say(alice, "Do you have kayaks?")
        await alice.until("delta", turn=first)
        second = await say(alice, "In purple, I mean")
        assert second != first
        go_on.set()
        assert (await alice.until("final", turn=first))["message"]["text"] == "Kayaks we have."
        assert (await alice.until("final", turn=second))["message"]["text"] == "In purple, too."
        assert not [frame for frame in alice.frames if frame["type"] == "reset"]


async def test_burst_of_five_from_two_tabs_is_answered_once(
    tab: Connect, model: Scripted, worker: None
) -> None:
    never = threading.Event()
    model.add(*[[never, "Too early"]] * 5, *["To all of you."] * 6)
    async with tab("alice") as here, tab("alice") as there:
        turn = await say(here, "One")
        await asked(model)
        for number, one in enumerate([there, here, there, here]):
            assert await say(one, f"And {number}") == turn
        never.set()
        final = await here.until("final", turn=turn)
        assert (await there.until("final", turn=turn))["message"] == final["message"]
    assert len(heard(model)) == 5
    assert await Message.objects.filter(author="bot").acount() == 1
    assert await Hold.objects.filter(state="held").acount() == 0


async def test_message_while_a_change_is_made_does_not_begin_it_anew(
    tab: Connect, model: Scripted, worker: None
) -> None:
    """A turn that carries out an approved change is never begun again because somebody says more."""
    await sync_to_async(seed_shop)()
    never = threading.Event()
    async with tab("alice") as alice:
        model.add([ToolRequest("a", "cancel_order", '{"number": "HP-10431"}')], [never, "Done."], "Sure.")
        await say(alice, "Cancel my order HP-10431 please")
        call = (await alice.until("approval"))["call"]
        await alice.until("final", state="awaiting_approval")
        await alice.send("approve", call=call, approved=True)
        await alice.until("approval_state", call=call, state="done")
        carrying = await Turn.objects.exclude(state="done").aget()
        following = await say(alice, "Is it done?")
        assert following != str(carrying.id)
        never.set()
        await alice.until("final", turn=str(carrying.id))
        await alice.until("final", turn=following)
    assert await ToolCall.objects.filter(state="done").acount() == 1


async def test_stop_after_a_join_ends_the_turn_at_once_with_nothing(
    tab: Connect, model: Scripted, worker: None
) -> None:
    never = threading.Event()
    model.add([never, "Too early"], [never, "Too early, too"])
    async with tab("alice") as alice:
        turn = await say(alice, "Do you have kayaks?")
        await asked(model)
        await say(alice, "In purple, I mean")
        await asked(model)
        await alice.send("stop", turn=turn)
        final = await alice.until("final", turn=turn)
        assert (final["state"], final["message"]["text"]) == ("stopped", "")
    conversation = await Conversation.objects.aget()
    assert conversation.handler == "bot"
