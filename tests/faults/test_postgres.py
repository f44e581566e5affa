"""PostgreSQL is restarted, refuses, has no connection left, finds a deadlock, or has a full disk."""

import asyncio
import threading

import psycopg
import pytest

from tests.faults.conftest import Play, tabs_of
from tests.faults.oracle import Staged
from tests.faults.test_redis import QUESTION, all_answered, streaming

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE %s"


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


async def test_turn_is_answered_when_its_hold_is_the_victim_of_a_deadlock(play: Play) -> None:
    stage = play.stage
    async with play.tab() as tab:
        await tab.reply(await tab.say(QUESTION))
        [hold] = (await play.judge()).holds
        with stage.postgres.connect() as database, database.transaction():
            # We have the window; the turn holds its own row and waits for us; then we want that row, too.
            database.execute("SET LOCAL deadlock_timeout = '60s'")
            database.execute("SELECT 1 FROM accounts_window WHERE id = %s FOR UPDATE", [hold["window_id"]])
            said = await tab.say("And the green one?")
            [row] = await stage.until(WAITING, "%accounts_window%")
            turn = await tab.accepted(said)
            victim = threading.Thread(target=_want, args=(database, turn))
            victim.start()
            await asyncio.to_thread(victim.join)
            assert row["pid"]
        turn_seen = await tab.reply(said)
        assert turn_seen.finals[0]["state"] == "answered"
        await play.judge()


def _want(database: "psycopg.Connection[tuple[object, ...]]", turn: str | None) -> None:
    database.execute("SELECT 1 FROM bot_turn WHERE id = %s FOR UPDATE", [turn])
