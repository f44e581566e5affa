"""Workers die, are told to go, or are told the same thing twice."""

import asyncio
import signal
import time

import pytest
from celery import Celery

from tests.faults import effects
from tests.faults.oracle import Staged
from tests.faults.play import QUESTION, Play, tabs_of
from tests.faults.stage import ANSWER, Stage
from tests.upstream import Reply

RUNNING = "SELECT attempt FROM bot_turn WHERE id = %s AND state = 'running'"
DONE = "SELECT attempt FROM bot_turn WHERE id = %s AND state = 'done'"
WAITING_FOR_A_LOCK = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE %s"


async def kill_all(stage: Stage) -> None:
    for worker in stage.workers:
        await stage.do(worker.kill)


@pytest.mark.thorough
async def test_turn_is_answered_when_its_worker_dies_before_the_call(play: Play) -> None:
    stage = play.stage
    async with play.tab() as tab:
        with stage.postgres.connect() as database, database.transaction():
            database.execute("LOCK TABLE bot_provider IN ACCESS EXCLUSIVE MODE")
            said = await tab.say(QUESTION)
            await stage.until(RUNNING, await tab.accepted(said))
            await stage.until(WAITING_FOR_A_LOCK, "%bot_provider%")
            await kill_all(stage)
        await stage.do(stage.run_all)
        turn = await tab.reply(said)
        assert (turn.text, turn.finals[0]["state"]) == (ANSWER, "answered")
        await play.judge()
    assert len(stage.upstream.completions) == 1


@pytest.mark.thorough
async def test_change_is_made_once_when_its_worker_dies_after_it(play: Play) -> None:
    stage, hold = play.stage, effects.hold(play.stage.var)
    stage.upstream.script(Reply("", tools=(("cancel", '{"number": "HP-1"}'),)))
    hold.touch()
    async with play.tab() as tab:
        await tab.reply(await tab.say("Cancel my order HP-1, please."))
        [approval] = tab.of("approval")
        await tab.send("approve", call=approval["call"], approved=True)
        done = f"{play.customers[0].sub} HP-1"
        await stage.sees(lambda: done in effects.made(stage.var))
        await kill_all(stage)
        hold.unlink()
        await stage.do(stage.run_all)
        [state] = await tab.until(lambda: tab.of("approval_state"), 40)
        found = await play.judge()
    assert state["state"] == "failed"  # nobody knows: a person looks
    assert [call["state"] for call in found.calls] == ["failed"]
    assert effects.made(stage.var).count(done) == 1


@pytest.mark.thorough
async def test_reply_is_stored_once_when_its_worker_dies_before_settling(play: Play) -> None:
    stage = play.stage
    gate = stage.hold_next(3)
    async with play.tab() as tab:
        said = await tab.say(QUESTION)
        await tab.text(said)
        with stage.postgres.connect() as database, database.transaction():
            database.execute("LOCK TABLE accounts_hold IN ACCESS EXCLUSIVE MODE")
            gate.set()
            await stage.until(WAITING_FOR_A_LOCK, "%accounts_usageentry%")
            await kill_all(stage)
        await stage.do(stage.run_all)
        turn = await tab.reply(said)
        assert (turn.text, turn.finals[0]["state"]) == (ANSWER, "answered")
        await play.judge()


@pytest.mark.thorough
async def test_final_is_told_when_its_worker_dies_between_commit_and_event(play: Play) -> None:
    stage = play.stage
    gate = stage.hold_next(3)
    async with play.tab() as tab:
        said = await tab.say(QUESTION)
        await tab.text(said)
        stage.redis.wire.refuse()
        gate.set()
        await stage.until(DONE, await tab.accepted(said))
        await kill_all(stage)
        stage.redis.wire.accept()
        await stage.do(stage.run_all)
        await tab.reply(said)
        await play.judge(Staged(lost_events=True))
    assert len(stage.upstream.completions) == 1


@pytest.mark.thorough
@pytest.mark.parametrize("pace", [0.25, 1.5], ids=["finishes", "hands back"])
async def test_terminated_worker_loses_none_of_fifty_streams(play: Play, pace: float) -> None:
    stage = play.stage
    stage.upstream.script(*(Reply(ANSWER, pace=pace) for _ in range(50)))
    async with tabs_of(play, 50) as tabs:
        said = [await tab.say(QUESTION) for tab in tabs]
        await asyncio.gather(*(tab.text(one) for tab, one in zip(tabs, said, strict=True)))
        leaving = stage.workers[0]
        leaving.send(signal.SIGTERM)
        told = time.monotonic()
        await asyncio.to_thread(leaving.wait, 30)
        took = time.monotonic() - told
        turns = await asyncio.gather(*(tab.reply(one) for tab, one in zip(tabs, said, strict=True)))
        assert [(turn.text, turn.finals[0]["state"]) for turn in turns] == [(ANSWER, "answered")] * 50
        found = await play.judge()
    assert took < 12
    assert sum(turn["losses"] for turn in found.turns.values()) == 0


async def test_ticket_changes_nothing_when_it_comes_late_and_often(play: Play) -> None:
    stage = play.stage
    queue = Celery("faults", broker=stage.redis.url, set_as_current=False)
    gate = stage.hold_next(3)

    def send_many() -> None:
        for _ in range(10):
            queue.send_task("bot.tasks.answer_next", queue="turns")

    async with play.tab() as tab:
        said = await tab.say(QUESTION)
        await tab.text(said)
        await asyncio.to_thread(send_many)
        gate.set()
        await tab.reply(said)
        before = await play.judge()
        await asyncio.to_thread(send_many)
        await stage.sees(lambda: not stage.tickets())
        after = await play.judge()
    assert before == after
    assert len(stage.upstream.completions) == 1


async def test_bot_says_nothing_more_when_a_person_takes_over_in_mid_answer(play: Play) -> None:
    stage = play.stage
    desk = await asyncio.to_thread(lambda: stage.desk)
    gate = stage.hold_next(3)
    async with play.tab() as tab:
        said = await tab.say(QUESTION)
        shown = await tab.text(said)
        conversation = tab.of("ready")[0]["conversation"]["id"]
        assert await asyncio.to_thread(desk.take, conversation) == "ok"
        turn = await tab.reply(said, 5)
        await stage.hung_up(seconds=5)  # the worker has left the model
        gate.set()
        assert (turn.text, turn.finals[0]["state"]) == (shown, "handed_over")
        assert await tab.accepted(await tab.say("Is somebody there?")) is None
        await play.judge()
    assert len(stage.upstream.completions) == 1


async def test_stopped_turn_ends_at_once_when_the_model_is_silent(play: Play) -> None:
    stage = play.stage
    stage.hold_next(3)
    async with play.tab() as tab:
        said = await tab.say(QUESTION)
        shown = await tab.text(said)
        told = time.monotonic()
        await tab.send("stop", turn=await tab.accepted(said))
        turn = await tab.reply(said, 5)
        took = time.monotonic() - told
        await stage.hung_up(seconds=5)
        assert (turn.text, turn.finals[0]["state"]) == (shown, "stopped")
        await play.judge()
    assert took < 0.3


# Last, so that the quick selection need not wait for the worker to start again.
async def test_turn_is_answered_anew_when_its_worker_dies_in_mid_stream(play: Play) -> None:
    stage = play.stage
    gate = stage.hold_next(3, "An answer that nobody will read to its end.")
    async with play.tab() as tab:
        said = await tab.say(QUESTION)
        await tab.text(said)
        killed = time.monotonic()
        await stage.do(stage.worker_of(await stage.asked()).kill)
        turn = await tab.reply(said)
        gate.set()
        assert (turn.text, turn.finals[0]["state"], turn.resets) == (ANSWER, "answered", 1)
        assert time.monotonic() - killed < 20
        await play.judge()
