"""PostgreSQL is restarted, refuses, has no connection left, finds a deadlock, or has a full disk."""

import asyncio

import pytest

from tests.faults.oracle import Staged
from tests.faults.play import QUESTION, Play, all_answered, streaming, tabs_of

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE %s"
WANT = "SELECT 1 FROM bot_turn WHERE id = %s FOR UPDATE"


async def test_streams_survive_when_postgres_is_restarted(play: Play) -> None:
    stage = play.stage
    async with streaming(play) as talks:
        await stage.do(stage.postgres.restart)
        await all_answered(talks)
        await play.judge(Staged(seconds=10))


@pytest.mark.thorough
async def test_streams_and_messages_survive_when_postgres_crashes(play: Play) -> None:
    stage = play.stage

    def crash() -> None:
        stage.postgres.first.kill()
        stage.postgres.restart()

    async with streaming(play, 4) as talks:
        tab = talks[0][0]
        crashing = asyncio.create_task(stage.do(crash))
        later = await tab.say("And the green one?")
        await crashing
        await all_answered([*talks, (tab, later)])
        await play.judge(Staged(seconds=10))


@pytest.mark.thorough
async def test_streams_and_messages_survive_when_postgres_refuses_for_ten_seconds(play: Play) -> None:
    stage = play.stage
    async with streaming(play) as talks:
        stage.postgres.wire.refuse()
        tab = talks[0][0]
        later = await tab.say("And the green one?")
        await asyncio.sleep(10)  # the outage
        stage.postgres.wire.accept()
        await all_answered([*talks, (tab, later)])
        await play.judge(Staged(seconds=20))


@pytest.mark.thorough
async def test_messages_are_accepted_later_when_no_connection_is_left(play: Play) -> None:
    """More than the pool's sixteen wait for a lock, for longer than anybody waits for a connection."""
    stage = play.stage
    async with tabs_of(play, 40) as tabs:
        with stage.postgres.connect() as database, database.transaction():
            database.execute("LOCK TABLE bot_message IN ACCESS EXCLUSIVE MODE")
            said = [await tab.say(QUESTION) for tab in tabs]
            await stage.sees(lambda: len(stage.rows(WAITING, "%bot_message%")) >= 16)
            await asyncio.sleep(12)  # the outage, longer than the pool's patience
            assert not any(one.accepted for one in said)
        await asyncio.gather(*(tab.reply(one) for tab, one in zip(tabs, said, strict=True)))
        found = await play.judge(Staged(seconds=20))
    assert len(found.turns) == 40


async def test_reply_is_stored_when_its_first_try_is_the_victim_of_a_deadlock(play: Play) -> None:
    stage = play.stage
    gate = stage.hold_next(3)
    async with play.tab() as tab:
        said = await tab.say(QUESTION)
        await tab.text(said)
        turn = await tab.accepted(said)
        with stage.postgres.connect() as database, database.transaction():
            # The reply has its turn's row and waits for our window; then we want the turn's row. Whoever
            # waits for a second first looks for a deadlock, and is its victim: the reply.
            database.execute("SELECT 1 FROM accounts_window FOR UPDATE")
            gate.set()
            await stage.until(WAITING, "%accounts_end_quota%")
            await asyncio.to_thread(database.execute, WANT, [turn])
        assert (await tab.reply(said)).finals[0]["state"] == "answered"
        await play.judge()
    assert "deadlock detected" in (stage.var / "postgres.log").read_text()
