"""Messages and turns, seen through the customer's socket."""

import asyncio
import threading
from uuid import uuid4

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings

from accounts.models import Hold, UsageEntry, Window
from bot import outbox as outboxes
from bot import turn as turns
from bot.llm.base import Finish, ToolRequest
from bot.llm.errors import ServerFault
from bot.llm.scripted import Scripted
from bot.models import Message, Model, ToolCall, Turn
from bot.privacy.errors import ScrubberDown
from bot.privacy.veil import Veil
from bot.steps import read
from bot.steps.work import Work
from demo.seed import seed_shop
from tests.bot.conftest import Connect
from tests.sockets import SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


async def test_message_is_answered_by_exactly_one_final(tab: Connect, model: Scripted, worker: None) -> None:
    model.add(["Hello ", "Alice", "!"])
    async with tab("alice") as alice:
        uuid = await alice.say("Good morning to you", ref="1")
        accepted = await alice.until("accepted")
        assert accepted["id"] == uuid
        final = await alice.until("final", turn=accepted["turn"])
        assert final["state"] == "answered"
        assert final["message"]["text"] == "Hello Alice!" == alice.text()
        assert final["message"]["source"] == "model"
        assert final["allowance"]["limits"][0]["used"] == 1
        events = [frame for frame in alice.frames if "seq" in frame]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        assert {"type": "ok", "ref": "1"} in alice.frames
    assert await Message.objects.filter(author="bot").acount() == 1
    assert await UsageEntry.objects.filter(confidence="exact").acount() == 1
    window = await Window.objects.aget()
    assert (window.held, window.settled) == (0, 1)


async def test_same_uuid_sent_again_is_one_message(tab: Connect, model: Scripted, worker: None) -> None:
    model.add("Once.")
    async with tab("alice") as alice:
        uuid = await alice.say("Please count me")
        first = await alice.until("accepted")
        await alice.until("final")
        await alice.send("message", id=uuid, text="Please count me anew")
        assert await alice.until("accepted") == first
        assert (await alice.until("message"))["message"]["text"] == "Please count me"
        await alice.send("ping")
        await alice.until("pong")
    assert await Message.objects.filter(author="customer").acount() == 1
    assert len(model.requests) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid"),
        (" \n\t ", "invalid"),
        ("a\x00b", "invalid"),
        ("\ud800", "invalid"),
        ("x" * 4001, "too_long"),
    ],
)
async def test_message_is_rejected_and_changes_nothing(tab: Connect, text: str, code: str) -> None:
    async with tab("alice") as alice:
        uuid = await alice.say(text)
        rejected = await alice.until("rejected")
        assert (rejected["id"], rejected["code"]) == (uuid, code)
    assert not await Message.objects.aexists()
    assert not await Turn.objects.aexists()


@pytest.mark.parametrize(
    "frame",
    [
        '{"type": "dance"}',
        '{"type": "message", "id": "7", "text": "hi"}',
        '{"type": "message", "id": "d9428888-122b-11e1-b85c-61cd3cbb3210", "text": 7}',
        '{"type": "message", "text": "hi", "id": "d9428888-122b-11e1-b85c-61cd3cbb3210", "admin": true}',
        '{"type": "approve", "call": "d9428888-122b-11e1-b85c-61cd3cbb3210", "approved": "yes"}',
        '{"type": "ping", "ref": "\\ud800"}',
        '{"type": "dance", "ref": "\\ud800"}',
        '{"type": "\\ud800"}',
        '{"type": "rate", "message": "d9428888-122b-11e1-b85c-61cd3cbb3210", "score": NaN}',
        '{"type": "rate", "message": "d9428888-122b-11e1-b85c-61cd3cbb3210", "score":1,"comment": "\\ud800"}',
        '{"type": "resume", "turn": "d9428888-122b-11e1-b85c-61cd3cbb3210", "after": 1e99}',
        f'{{"type": "resume", "turn": "d9428888-122b-11e1-b85c-61cd3cbb3210", "after": {10**25}}}',
        "[]",
        "nonsense",
        "[" * 5000,
    ],
)
async def test_malformed_frame_gets_an_error_and_the_socket_stays(tab: Connect, frame: str) -> None:
    async with tab("alice") as alice:
        await alice.socket.send(frame)
        assert (await alice.next())["code"] == "bad_frame"
        await alice.send("ping")
        await alice.until("pong")
    assert not await Message.objects.aexists()


async def test_binary_frame_gets_an_error(tab: Connect) -> None:
    async with tab("alice") as alice:
        await alice.socket.send(binary=b"\x00\xff")
        assert (await alice.next())["code"] == "bad_frame"


async def test_messages_too_fast_are_rejected_with_a_time(
    tab: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    from limits import RateLimitItemPerMinute

    monkeypatch.setattr("bot.web.rates.MESSAGES", RateLimitItemPerMinute(1, namespace=str(uuid4())))
    async with tab("alice") as alice:
        await alice.say("one")
        await alice.until("accepted")
        await alice.say("two")
        rejected = await alice.until("rejected")
        assert rejected["code"] == "rate_limited"
        assert rejected["retry_at"]


async def test_frames_too_fast_close_the_socket_with_4429(tab: Connect) -> None:
    async with tab("alice") as alice:
        for _ in range(300):
            await alice.send("ping")
        assert await alice.closed() == 4429


async def test_message_sent_while_a_turn_runs_is_answered_in_the_next(
    tab: Connect, model: Scripted, worker: None
) -> None:
    go_on = threading.Event()
    model.add(["One", go_on, " done."], "Two done.")
    async with tab("alice") as alice:
        await alice.say("First question about tents")
        first = (await alice.until("accepted"))["turn"]
        await alice.until("delta")
        await alice.say("Second question about boots")
        second = (await alice.until("accepted"))["turn"]
        assert second != first
        go_on.set()
        assert (await alice.until("final", turn=first))["message"]["text"] == "One done."
        assert (await alice.until("final", turn=second))["message"]["text"] == "Two done."
    said = [message["content"] for message in model.requests[1].messages if message["role"] == "user"]
    assert said[-1] == "Second question about boots"


async def test_other_tab_sees_the_message_and_the_answer(tab: Connect, model: Scripted, worker: None) -> None:
    model.add("To both.")
    async with tab("alice") as one, tab("alice") as two:
        uuid = await one.say("Do both tabs see this?")
        message = await two.until("message")
        assert message["message"]["id"] == uuid
        assert message["message"]["text"] == "Do both tabs see this?"
        assert (await two.until("final"))["message"]["text"] == "To both."
        await one.until("final")
        assert sum(frame["type"] == "message" for frame in one.frames) == 1


async def test_private_value_reaches_neither_model_nor_redis_but_the_screen(
    tab: Connect, model: Scripted, worker: None
) -> None:
    model.add(["I wrote to <EMA", "IL_1> for you."])
    secret = "jane.roe@example.org"
    async with tab("alice") as alice:
        await alice.say(f"Write to {secret} please")
        final = await alice.until("final")
        assert final["message"]["text"] == f"I wrote to {secret} for you." == alice.text()
        await alice.send("history", before=final["message"]["id"])
        assert secret in (await alice.until("history"))["messages"][0]["text"]
    assert secret not in str(model.requests)
    assert "<EMAIL_1>" in str(model.requests)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        kept = b"".join(client.dump(key) or b"" for key in client.scan_iter("*"))
    assert secret.encode() not in kept
    stored = await sync_to_async(lambda: [*Message.objects.values("masked", "sealed", "cards")])()
    assert secret not in str([(row["masked"], bytes(row["sealed"])) for row in stored])


async def test_reload_in_mid_answer_gets_the_rest_without_gap_or_repeat(
    tab: Connect, model: Scripted, worker: None
) -> None:
    go_on = threading.Event()
    model.add(["The first half, ", go_on, "the second half."])
    async with tab("alice") as alice:
        await alice.say("Tell me a long story")
        await alice.until("delta")
        async with tab("alice") as again:
            turn = again.frames[0]["turn"]
            assert turn["state"] == "running"
            await again.send("resume", turn=turn["id"], after=0)
            await again.until("delta")
            go_on.set()
            final = await again.until("final")
            assert again.text() == final["message"]["text"] == "The first half, the second half."
            seqs = [frame["seq"] for frame in again.frames if "seq" in frame]
            assert seqs == list(range(1, len(seqs) + 1))


async def test_resume_after_the_log_is_gone_answers_from_the_database(
    tab: Connect, model: Scripted, worker: None
) -> None:
    model.add("Kept in PostgreSQL.")
    async with tab("alice") as alice:
        await alice.say("Will it be kept?")
        turn = (await alice.until("final"))["turn"]
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.delete(*outboxes.turn_keys(turn))
        await alice.send("resume", turn=turn, after=0)
        assert (await alice.until("final"))["message"]["text"] == "Kept in PostgreSQL."


async def test_foreign_and_unknown_ids_answer_alike(tab: Connect, model: Scripted, worker: None) -> None:
    model.add("For Alice only.")
    async with tab("alice") as alice, tab("carol") as carol:
        uuid = await alice.say("A secret of mine")
        final = await alice.until("final")
        answers = []
        for turn, message in [(final["turn"], final["message"]["id"]), (str(uuid4()), str(uuid4()))]:
            await carol.send("resume", turn=turn, after=0)
            answers.append(await carol.next())
            await carol.send("stop", turn=turn)
            answers.append(await carol.next())
            await carol.send("rate", message=message, score=1)
            answers.append(await carol.next())
            await carol.send("history", before=message)
            answers.append(await carol.next())
        assert all(answer["code"] == "unknown" for answer in answers)
        # The same uuid in another conversation is another message.
        await carol.send("message", id=uuid, text="Mine")
        model.add("For Carol only.")
        assert (await carol.until("final"))["message"]["text"] == "For Carol only."
        assert "secret of mine" not in str(carol.frames)


async def test_stop_ends_the_turn_with_what_was_shown(tab: Connect, model: Scripted, worker: None) -> None:
    never = threading.Event()
    model.add(["Only this much", never, " and never this."])
    async with tab("alice") as alice:
        await alice.say("Talk for a long time")
        turn = (await alice.until("accepted"))["turn"]
        await alice.until("delta")
        await alice.send("stop", turn=turn)
        final = await alice.until("final", turn=turn)
        assert (final["state"], final["message"]["text"]) == ("stopped", "Only this much")
        never.set()
        await alice.send("ping")
        await alice.until("pong")
        assert alice.text() == "Only this much"
    reply = await Message.objects.aget(author="bot")
    assert reply.masked == "Only this much"


async def test_stop_takes_back_what_was_shown_when_redis_does_not_know_it(
    tab: Connect, model: Scripted, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object) -> list[str]:
        raise redis.ConnectionError

    never = threading.Event()
    model.add(["Only this much", never])
    async with tab("alice") as alice:
        await alice.say("Talk for a long time")
        turn = (await alice.until("accepted"))["turn"]
        await alice.until("delta")
        monkeypatch.setattr(outboxes.Outbox, "take_over", away)
        await alice.send("stop", turn=turn)
        final = await alice.until("final", turn=turn)
        assert final["state"] == "stopped"
        assert final["message"]["text"] == alice.text() == ""
        never.set()


async def test_stop_ends_the_turn_that_waits_and_leaves_the_running_one(
    tab: Connect, model: Scripted, worker: None
) -> None:
    go_on = threading.Event()
    model.add(["One", go_on, " done."])
    async with tab("alice") as alice:
        await alice.say("First question about tents")
        first = (await alice.until("accepted"))["turn"]
        await alice.until("delta")
        await alice.say("Second question about boots")
        second = (await alice.until("accepted"))["turn"]
        await alice.send("stop", turn=second)
        assert (await alice.until("final", turn=second))["state"] == "stopped"
        go_on.set()
        assert (await alice.until("final", turn=first))["message"]["text"] == "One done."
    assert len(model.requests) == 1


async def test_model_gone_is_answered_degraded(tab: Connect, model: Scripted, worker: None) -> None:
    model.add(ServerFault("down"), ServerFault("down"), ServerFault("down"))
    async with tab("alice") as alice:
        await alice.say("Do you sell purple submarines?")
        final = await alice.until("final")
        assert (final["state"], final["message"]["source"]) == ("degraded", "promise")
        assert final["message"]["text"] == alice.text()
        assert final["allowance"]["limits"][0]["used"] == 0
        await alice.until("mode", mode="degraded")
        async with tab("alice") as again:
            assert again.frames[0]["mode"] == "degraded"
        model.add("Back again.")
        await alice.say("Do you sell yellow submarines?")
        await alice.until("mode", mode="normal")
    assert await Hold.objects.filter(state="held").acount() == 0


async def test_text_of_a_model_that_breaks_off_is_taken_back(
    tab: Connect, model: Scripted, worker: None
) -> None:
    model.add(*[["Half a sen", ServerFault("gone")]] * 3)
    async with tab("alice") as alice:
        await alice.say("Do you sell purple submarines?")
        final = await alice.until("final")
        assert "reset" in [frame["type"] for frame in alice.frames]
        assert alice.text() == final["message"]["text"]
        assert "Half a sen" not in final["message"]["text"]


async def test_empty_answer_of_a_model_is_answered_degraded_and_costs_nothing(
    tab: Connect, model: Scripted, worker: None
) -> None:
    model.add([Finish("length")])
    async with tab("alice") as alice:
        await alice.say("Do you sell purple submarines?")
        final = await alice.until("final")
        assert final["state"] == "degraded"
        assert final["message"]["text"] == alice.text() != ""
        assert final["allowance"]["limits"][0]["used"] == 0
        await alice.until("mode", mode="degraded")
        async with tab("alice") as again:
            assert again.frames[0]["mode"] == "degraded"
        model.add("Back again.")
        await alice.say("Do you sell yellow submarines?")
        await alice.until("mode", mode="normal")


async def test_patient_model_is_given_its_own_deadline(tab: Connect, model: Scripted, worker: None) -> None:
    await Model.objects.aupdate(whole_deadline=240)
    model.add("Thought about it.")
    async with tab("alice") as alice:
        await alice.say("Think about it for long")
        await alice.until("final")
    assert model.requests[0].deadlines.whole > settings.TURN_DEADLINE * 2
    hold = await Hold.objects.aget()
    assert (hold.expires_at - hold.created_at).total_seconds() > 240


async def test_scrubber_that_dies_in_the_middle_is_answered_degraded(
    tab: Connect, model: Scripted, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(veil: Veil, value: object) -> object:
        raise ScrubberDown

    monkeypatch.setattr(Veil, "mask_json", down)
    model.add(["Let me see. ", ToolRequest("a", "my_orders", "{}")])
    async with tab("alice") as alice:
        await alice.say("Where are my purple submarines?")
        final = await alice.until("final")
        assert (final["state"], final["attempt"]) == ("degraded", 1)
        assert final["message"]["text"] == alice.text()
    assert len(model.requests) == 1


async def test_card_of_a_tool_is_taken_back_with_the_answer_it_belonged_to(
    tab: Connect, model: Scripted, worker: None
) -> None:
    model.add([ToolRequest("a", "my_orders", "{}")], *[ServerFault("gone")] * 3)
    await sync_to_async(seed_shop)()
    async with tab("alice") as alice:
        await alice.say("Where are my purple submarines?")
        final = await alice.until("final")
        assert "cards" not in final["message"]
        types = [frame["type"] for frame in alice.frames]
        assert types.index("reset") > types.index("card")


async def test_stop_before_the_quota_is_held_leaves_no_hold(
    tab: Connect, model: Scripted, worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrubbed, go_on, over = threading.Event(), threading.Event(), threading.Event()
    scrub, run = read.scrub, turns.run_next

    def late(work: Work) -> None:
        scrub(work)
        scrubbed.set()
        go_on.wait(SECONDS)

    def watched() -> bool:
        worked = run()
        if worked:
            over.set()
        return worked

    monkeypatch.setattr(read, "scrub", late)
    monkeypatch.setattr(turns, "run_next", watched)
    model.add(["Never ", "shown"])
    async with tab("alice") as alice:
        await alice.say("Stop me at once")
        turn = (await alice.until("accepted"))["turn"]
        assert await asyncio.to_thread(scrubbed.wait, SECONDS)
        await alice.send("stop", turn=turn)
        await alice.until("final", state="stopped")
        go_on.set()
        assert await asyncio.to_thread(over.wait, SECONDS)
    assert await Hold.objects.filter(state="held").acount() == 0
    window = await Window.objects.afirst()
    assert window is None or (window.held, window.settled) == (0, 0)


async def test_used_up_allowance_is_answered_degraded_without_a_model(
    tab: Connect, model: Scripted, worker: None, free: object
) -> None:
    model.add(*["Answer."] * 10)
    async with tab("alice") as alice:
        for number in range(10):
            await alice.say(f"Question number {number}")
            assert (await alice.until("final"))["state"] == "answered"
        await alice.say("One question too many")
        final = await alice.until("final")
        assert final["state"] == "degraded"
        assert final["allowance"]["exhausted"] is True
    assert len(model.requests) == 10


async def test_person_silences_the_bot_in_mid_answer(tab: Connect, model: Scripted, worker: None) -> None:
    never = threading.Event()
    model.add(["I was just", never, " saying."])
    async with tab("alice") as alice:
        await alice.say("I would like to complain")
        await alice.until("delta")
        await alice.send("human")
        await alice.until("status", handler="queue")
        final = await alice.until("final")
        assert (final["state"], final["message"]["text"]) == ("handed_over", "I was just")
        never.set()
        await alice.say("Hello? Is a person there?")
        assert (await alice.until("accepted"))["turn"] is None
        assert len(model.requests) == 1
        model.add("The bot is back.")
        await alice.send("human", cancel=True)
        await alice.until("status", handler="bot")
        assert (await alice.until("final"))["message"]["text"] == "The bot is back."
    assert model.requests[1].messages[-1] == {"role": "user", "content": "Hello? Is a person there?"}


async def test_handover_tool_puts_the_customer_in_the_queue(
    tab: Connect, model: Scripted, worker: None
) -> None:
    model.add([ToolRequest("c1", "ask_for_human", '{"reason": "customer_request"}')])
    async with tab("alice") as alice:
        await alice.say("I need a human being")
        final = await alice.until("final")
        assert final["state"] == "handed_over"
        await alice.until("status", handler="queue")


async def test_rating_is_kept_and_its_comment_sealed(tab: Connect, model: Scripted, worker: None) -> None:
    model.add("Was this good?")
    async with tab("alice") as alice:
        await alice.say("Tell me something nice")
        final = await alice.until("final")
        await alice.send("rate", message=final["message"]["id"], score=-1, comment="no", ref="r")
        await alice.until("ok", ref="r")
        await alice.send("rate", message=final["message"]["id"], score=5)
        assert (await alice.until("error"))["code"] == "invalid"
    reply = await Message.objects.aget(author="bot")
    assert reply.rating == -1
    assert bytes(reply.sealed_comment) not in (b"", b"no")


async def test_unknown_tool_and_bad_arguments_are_told_to_the_model(
    tab: Connect, model: Scripted, worker: None
) -> None:
    model.add(
        [ToolRequest("a", "delete_everything", "{}")],
        [
            ToolRequest("b", "search_knowledge", "not json"),
            ToolRequest("c", "search_knowledge", '{"query": NaN}'),
            ToolRequest("d", "search_knowledge", '{"query": "half \\ud800"}'),
            ToolRequest("e", "search_knowledge", '{"query": "nothing \\u0000"}'),
        ],
        "I cannot do that.",
    )
    async with tab("alice") as alice:
        await alice.say("Delete everything now")
        assert (await alice.until("final"))["message"]["text"] == "I cannot do that."
    assert "There is no tool called delete_everything" in str(model.requests[1].messages)
    assert "not JSON" in str(model.requests[2].messages)
    assert await ToolCall.objects.filter(state="failed").acount() == 5


async def test_model_that_asks_for_tools_for_ever_is_ended(
    tab: Connect, model: Scripted, worker: None
) -> None:
    model.add(*[[ToolRequest("x", "search_knowledge", f'{{"query": "q{n}"}}')] for n in range(9)])
    async with tab("alice") as alice:
        await alice.say("Go round and round")
        final = await alice.until("final")
        assert final["state"] == "failed"
    assert len(model.requests) <= 5
