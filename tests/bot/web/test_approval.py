"""Changes: proposed by the model, made by the customer's tap, once (I4)."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from accounts.models import Customer
from bot import events, tasks
from bot.desk import approvals
from bot.llm.base import ToolRequest
from bot.llm.scripted import Scripted
from bot.models import Conversation, Message, ToolCall, Turn
from bot.outbox import turn_keys
from bot.privacy import veil
from bot.privacy.errors import ScrubberDown
from bot.reply import Reply
from bot.steps import model_loop, read
from bot.tools import runner
from bot.tools.runner import Bench, Shown
from demo.models import Order
from demo.seed import seed_shop
from tests.bot.conftest import Connect, Tab
from tests.sockets import SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

CANCEL = [ToolRequest("c1", "cancel_order", '{"number": "HP-10431"}')]


@pytest.fixture
def shop(transactional_db: None) -> None:
    seed_shop()


async def ask_to_cancel(alice: Tab, model: Scripted) -> str:
    """The call that waits for the customer's tap."""
    model.add(CANCEL)
    await alice.say("Cancel my order HP-10431 please")
    approval = await alice.until("approval")
    assert "HP-10431" in approval["title"] + str(approval["lines"])
    assert (await alice.until("final"))["state"] == "awaiting_approval"
    return str(approval["call"])


async def status() -> str:
    return (await Order.objects.aget(number="HP-10431")).status


async def test_yes_makes_the_change_once(tab: Connect, model: Scripted, worker: None, shop: None) -> None:
    async with tab("alice") as alice:
        call = await ask_to_cancel(alice, model)
        assert await status() == "processing"
        model.add("Your order is cancelled.")
        await alice.send("approve", call=call, approved=True)
        assert (await alice.until("approval_state", call=call))["state"] == "done"
        assert (await alice.until("final"))["message"]["text"] == "Your order is cancelled."
        assert await status() == "cancelled"
        await alice.send("approve", call=call, approved=True)
        assert (await alice.until("error"))["code"] == "unknown"
    assert '"cancelled": true' in str(model.requests[-1].messages[-1])
    # The queue may deliver a job twice, and late.
    for _ in range(2):
        tasks.answer_next.delay()
    assert await ToolCall.objects.filter(state="done").acount() == 1


async def test_no_leaves_everything_as_it_is(tab: Connect, model: Scripted, worker: None, shop: None) -> None:
    async with tab("alice") as alice, tab("alice") as other:
        call = await ask_to_cancel(alice, model)
        await alice.send("approve", call=call, approved=False)
        assert (await alice.until("approval_state"))["state"] == "declined"
        assert (await other.until("approval_state"))["state"] == "declined"
        await other.send("approve", call=call, approved=True)
        assert (await other.until("error"))["code"] == "unknown"
    assert await status() == "processing"


async def test_yes_of_another_customer_is_unknown(
    tab: Connect, model: Scripted, worker: None, shop: None
) -> None:
    async with tab("alice") as alice, tab("carol") as carol:
        call = await ask_to_cancel(alice, model)
        await carol.send("approve", call=call, approved=True)
        assert (await carol.until("error"))["code"] == "unknown"
    assert await status() == "processing"


async def test_open_question_is_in_ready_and_expires(
    tab: Connect, model: Scripted, worker: None, shop: None
) -> None:
    async with tab("alice") as alice:
        call = await ask_to_cancel(alice, model)
        async with tab("alice") as again:
            assert [open["call"] for open in again.frames[0]["approvals"]] == [call]
        await ToolCall.objects.aupdate(expires_at=timezone.now() - timedelta(seconds=1))
        await alice.send("approve", call=call, approved=True)
        assert (await alice.until("error"))["code"] == "unknown"
        tasks.expire_approvals.delay()
        assert (await alice.until("approval_state", call=call))["state"] == "expired"
    assert await status() == "processing"


async def test_question_of_a_turn_that_was_stopped_is_not_open(
    tab: Connect, model: Scripted, worker: None, shop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed, go_on = threading.Event(), threading.Event()
    reply = model_loop.reply

    def late(*given: Any) -> Reply:
        proposed.set()
        go_on.wait(SECONDS)
        return reply(*given)

    monkeypatch.setattr(model_loop, "reply", late)
    model.add(CANCEL)
    async with tab("alice") as alice:
        await alice.say("Cancel my order HP-10431 please")
        turn = (await alice.until("accepted"))["turn"]
        assert await asyncio.to_thread(proposed.wait, SECONDS)
        await alice.send("stop", turn=turn)
        await alice.until("final", state="stopped")
        go_on.set()
        async with tab("alice") as again:
            assert again.frames[0]["approvals"] == []
        await alice.send("approve", call=str((await ToolCall.objects.aget()).id), approved=True)
        assert (await alice.until("error"))["code"] == "unknown"


async def test_second_attempt_takes_the_question_of_the_first_back(
    tab: Connect, model: Scripted, worker: None, shop: None
) -> None:
    async with tab("alice") as alice:
        call = await ask_to_cancel(alice, model)
    # The worker died before the turn had ended, and before its final was written.
    await Message.objects.filter(author="bot").adelete()
    await Turn.objects.aupdate(state="running", outcome="", lease_until=timezone.now())
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(*turn_keys(str((await Turn.objects.aget()).id)))
    async with tab("alice") as alice:
        model.add(CANCEL)
        tasks.answer_next.delay()
        assert (await alice.until("approval_state", call=call))["state"] == "expired"
        second = (await alice.until("approval"))["call"]
        await alice.until("final", attempt=2)
        async with tab("alice") as again:
            assert [one["call"] for one in again.frames[0]["approvals"]] == [second]


async def test_change_is_not_begun_without_a_scrubber_and_the_customer_is_told(
    tab: Connect, model: Scripted, worker: None, shop: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(work: object) -> None:
        raise ScrubberDown

    async with tab("alice") as alice:
        call = await ask_to_cancel(alice, model)
        monkeypatch.setattr(read, "scrub", down)
        await alice.send("approve", call=call, approved=True)
        assert (await alice.until("approval_state", call=call))["state"] == "expired"
        final = await alice.until("final", state="degraded")
        assert "not done" in final["message"]["text"]
        assert await status() == "processing"


async def test_change_is_not_made_once_the_customer_asks_for_a_person(
    tab: Connect, model: Scripted, worker: None, shop: None
) -> None:
    never = threading.Event()
    async with tab("alice") as alice:
        call = await ask_to_cancel(alice, model)
        model.add(["A long story", never])
        await alice.say("Tell me a story first")
        await alice.until("delta")
        await alice.send("approve", call=call, approved=True)
        await alice.send("human")
        assert (await alice.until("approval_state", call=call))["state"] == "expired"
        never.set()
    assert await status() == "processing"


def test_change_is_not_begun_by_an_attempt_that_was_shut_out(alice: Customer, shop: None) -> None:
    conversation = Conversation.objects.create(site=alice.site, customer=alice)
    turn = Turn.objects.create(conversation=conversation, state="running", attempt=2)
    call = ToolCall.objects.create(
        turn=turn, call="c", name="cancel_order", arguments={"number": "HP-10431"}, state="approved"
    )
    call.carried_by = turn
    call.save()
    log = events.TurnLog(turn.id, 1, conversation.id)
    bench = Bench(turn, veil.of(conversation), log, Shown(), "alice", "demo", "en")
    assert runner.carry_out(bench, call) is None
    assert Order.objects.get(number="HP-10431").status == "processing"


async def test_change_with_an_unknown_end_is_not_made_again(
    tab: Connect, model: Scripted, worker: None, shop: None
) -> None:
    async with tab("alice") as alice:
        call = await ask_to_cancel(alice, model)
        # A worker died between starting the change and storing what came of it.
        await ToolCall.objects.filter(id=call).aupdate(state="approved")
        turn = await Turn.objects.acreate(conversation_id=alice.frames[0]["conversation"]["id"])
        await ToolCall.objects.filter(id=call).aupdate(state="started", carried_by=turn)
        tasks.answer_next.delay()
        assert (await alice.until("final"))["state"] == "handed_over"
        await alice.until("status", handler="queue")
    assert await status() == "processing"


async def test_anonymous_visitor_cannot_reach_orders(
    tab: Connect, model: Scripted, worker: None, shop: None
) -> None:
    model.add(CANCEL, [ToolRequest("c2", "my_orders", "{}")], "Please sign in.")
    async with tab() as visitor:
        await visitor.say("Cancel order HP-10431")
        assert (await visitor.until("final"))["message"]["text"] == "Please sign in."
    assert "not signed in" in str(model.requests[1].messages)
    assert await status() == "processing"


def test_expire_leaves_decided_questions_alone(db: None) -> None:
    assert approvals.expire(timezone.now()) == 0
