"""The model's endpoint misbehaves in every way that real ones do."""

import asyncio
import threading
import time

import pytest

from tests.faults.play import QUESTION, Play, tabs_of
from tests.faults.stage import ANSWER, FIRST_TOKEN_SECONDS, SILENCE_SECONDS
from tests.upstream import Reply

LIMITED = {"message": "Slow down", "type": "requests", "code": "rate_limit_exceeded"}
IN_TRANSACTION = """SELECT query FROM pg_stat_activity WHERE datname = current_database()
 AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"""
UNPAID = {"message": "Quota exceeded", "type": "insufficient_quota", "code": "insufficient_quota"}


async def test_answer_comes_whole_when_nothing_is_wrong(play: Play) -> None:
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say(QUESTION))
        assert (turn.text, turn.resets) == (ANSWER, 0)
        found = await play.judge()
    assert len(found.entries) == 1


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}], ids=["by itself", "with Retry-After"])
async def test_limited_call_is_made_again_after_a_while(play: Play, headers: dict[str, str]) -> None:
    play.stage.upstream.script(Reply(status=429, headers=headers, error=LIMITED))
    async with play.tab() as tab:
        begun = time.monotonic()
        turn = await tab.reply(await tab.say(QUESTION))
        assert (turn.text, turn.resets, turn.finals[0]["state"]) == (ANSWER, 0, "answered")
        assert time.monotonic() - begun >= float(headers.get("Retry-After", 0))
        await play.judge()
    assert len(play.stage.upstream.completions) == 2


async def test_unpaid_provider_is_left_for_the_next_at_once(play: Play) -> None:
    play.stage.enable(2)
    play.stage.upstream.script(Reply(status=429, error=UNPAID))
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say(QUESTION))
        assert turn.text == ANSWER
        await play.judge()
    asked = [request.path.split("/")[1] for request in play.stage.upstream.completions]
    assert asked == ["model-1", "model-2"]


async def test_next_model_answers_when_one_fails_in_a_burst(play: Play) -> None:
    play.stage.enable(2)
    play.stage.upstream.script(*[Reply(status=500)] * 3)
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say(QUESTION))
        assert (turn.text, turn.resets) == (ANSWER, 0)
        await play.judge()
    asked = [request.path.split("/")[1] for request in play.stage.upstream.completions]
    assert asked == ["model-1"] * 3 + ["model-2"]


async def test_model_is_not_asked_any_more_when_it_fails_again_and_again(play: Play) -> None:
    play.stage.upstream.default = Reply(status=500)
    async with play.tab() as tab:
        for _ in range(4):
            turn = await tab.reply(await tab.say(QUESTION))
            assert turn.finals[0]["state"] == "degraded"
        asked = len(play.stage.upstream.completions)
        begun = time.monotonic()
        await tab.reply(await tab.say(QUESTION))
        assert time.monotonic() - begun < 1
        await play.judge()
    assert len(play.stage.upstream.completions) == asked < 12


async def test_refused_connection_is_answered_without_the_model(play: Play) -> None:
    play.stage.execute(
        "UPDATE bot_provider SET base_url = 'http://127.0.0.1:9/v1' WHERE name = %s", play.stage.model_name(1)
    )
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say(QUESTION))
        assert turn.finals[0]["state"] == "degraded"
        found = await play.judge()
    assert {entry["outcome"] for entry in found.entries} == {"unreachable"}
    assert not play.stage.upstream.completions


async def test_silent_model_is_left_for_the_next_by_its_deadline(play: Play) -> None:
    """It accepts the connection, reads the request, and sends nothing."""
    play.stage.enable(2)
    play.stage.upstream.script(Reply(fault="hang"))
    async with play.tab() as tab:
        begun = time.monotonic()
        turn = await tab.reply(await tab.say(QUESTION))
        took = time.monotonic() - begun
        assert (turn.text, turn.resets) == (ANSWER, 0)
        await play.judge()
    assert FIRST_TOKEN_SECONDS <= took < FIRST_TOKEN_SECONDS + 5
    await play.stage.hung_up()


@pytest.mark.parametrize("fault", ["silence", "keepalive"])
async def test_model_that_falls_silent_is_left_and_what_it_said_taken_back(play: Play, fault: str) -> None:
    play.stage.enable(2)
    play.stage.upstream.script(Reply("Let me see.", fault=fault, after=1))
    async with play.tab() as tab:
        begun = time.monotonic()
        turn = await tab.reply(await tab.say(QUESTION))
        took = time.monotonic() - begun
        assert (turn.text, turn.resets, turn.finals[0]["state"]) == (ANSWER, 1, "answered")
        await play.judge()
    assert SILENCE_SECONDS <= took < SILENCE_SECONDS + 5


@pytest.mark.parametrize("chunks", [0, 1, 7])
async def test_reset_connection_is_answered_by_another_call(play: Play, chunks: int) -> None:
    play.stage.enable(2)
    play.stage.upstream.script(Reply(ANSWER, fault="reset", after=chunks, pace=0.05))
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say(QUESTION))
        assert (turn.text, turn.finals[0]["state"]) == (ANSWER, "answered")
        assert turn.resets == (1 if chunks else 0)
        found = await play.judge()
    assert len(found.entries) == len(play.stage.upstream.completions) == 2


@pytest.mark.parametrize("fault", ["malformed", "half_utf8", "error_event", "cut", "plain"])
@pytest.mark.parametrize("chunks", [0, 3])
async def test_broken_answer_is_told_anew_by_another_call(play: Play, fault: str, chunks: int) -> None:
    play.stage.enable(2)
    play.stage.upstream.script(Reply("I would not finish this.", fault=fault, after=chunks, pace=0.05))
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say(QUESTION))
        assert (turn.text, turn.finals[0]["state"]) == (ANSWER, "answered")
        await play.judge()


@pytest.mark.parametrize(
    "reply",
    [
        Reply(ANSWER, done=False),
        Reply(ANSWER, usage="never"),
        Reply(ANSWER, repeat_finish=True),
        Reply(ANSWER, extra=({"choices": []}, {"id": "c-1", "choices": [{"index": 0, "delta": {}}]})),
    ],
    ids=["no DONE", "no usage", "two ends", "empty chunks"],
)
async def test_sloppy_answer_comes_whole(play: Play, reply: Reply) -> None:
    play.stage.upstream.script(reply)
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say(QUESTION))
        assert (turn.text, turn.resets, turn.finals[0]["state"]) == (ANSWER, 0, "answered")
        found = await play.judge()
    assert [entry["confidence"] for entry in found.entries] == [
        "estimated" if reply.usage == "never" else "exact"
    ]


@pytest.mark.thorough
async def test_slow_answer_comes_whole_when_it_is_one_token_a_second(play: Play) -> None:
    play.stage.upstream.script(Reply("One word each second.", pace=1))
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say(QUESTION))
        assert (turn.text, turn.resets) == ("One word each second.", 0)
        await play.judge()


async def test_tool_arguments_cut_in_half_are_told_to_the_model(play: Play) -> None:
    play.stage.upstream.script(Reply("", tools=(("weather", '{"place": "Ber'),)))
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say("What is the weather in Bergen?"))
        assert turn.finals[0]["state"] == "answered"
        found = await play.judge()
    assert [call["state"] for call in found.calls] == ["failed"]
    assert "not JSON" in play.stage.upstream.completions[-1].text


async def test_nothing_is_held_while_many_wait_for_the_model(play: Play) -> None:
    """More at once than the pool has connections, and none of them in a transaction."""
    stage, gate = play.stage, threading.Event()
    stage.upstream.default = Reply(ANSWER, gate=gate)
    stage.wait_for_models(30)
    async with tabs_of(play, 40) as tabs:
        said = [await tab.say(QUESTION) for tab in tabs]
        await stage.asked(40)
        idle = stage.rows(IN_TRANSACTION)
        gate.set()
        assert not idle
        await asyncio.gather(*(tab.reply(one) for tab, one in zip(tabs, said, strict=True)))
        await play.judge()
