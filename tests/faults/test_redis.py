"""Redis forgets, is slow, is full, or loses those who listen; PostgreSQL holds the truth all the while."""

import asyncio

import pytest

from tests.faults.oracle import Staged
from tests.faults.play import QUESTION, Play, all_answered, streaming
from tests.faults.stage import ANSWER

DONE = "SELECT id FROM bot_turn WHERE id = %s AND state = 'done'"


async def test_streams_survive_when_redis_comes_back_empty(play: Play) -> None:
    stage = play.stage
    async with streaming(play) as talks:
        await stage.do(stage.redis.restart_empty)
        await all_answered(talks)
        await play.judge(Staged(seconds=5, lost_events=True))
        async with play.tab() as tab:  # and the next one is answered as ever
            await tab.reply(await tab.say(QUESTION), 20)
            await play.judge(Staged(seconds=5, lost_events=True))


@pytest.mark.thorough
async def test_messages_are_accepted_and_answered_when_redis_is_away_for_five_seconds(play: Play) -> None:
    stage = play.stage
    async with streaming(play, 4) as talks:
        stage.redis.wire.refuse()
        [tab, _] = talks[0]
        later = await tab.say("And the green one?")
        await tab.accepted(later, 20)
        await asyncio.sleep(5)  # the outage
        stage.redis.wire.accept()
        await all_answered([*talks, (tab, later)])
        await play.judge(Staged(seconds=10, lost_events=True))


@pytest.mark.thorough
async def test_streams_are_whole_when_redis_is_slow(play: Play) -> None:
    play.stage.redis.wire.delay = 0.5
    async with streaming(play) as talks:
        await all_answered(talks)
        await play.judge()


@pytest.mark.thorough
async def test_streams_survive_when_redis_is_full_for_three_seconds(play: Play) -> None:
    stage = play.stage
    async with streaming(play) as talks:
        with stage.redis.client() as client:
            client.config_set("maxmemory", "1mb")
            async with play.tab() as tab:
                said = await tab.say("And the green one?")
                await tab.accepted(said)
                await asyncio.sleep(3)  # the outage
                client.config_set("maxmemory", 0)
                await all_answered([*talks, (tab, said)])
                await play.judge(Staged(seconds=5))


async def test_finals_are_told_when_only_the_subscriptions_are_cut(play: Play) -> None:
    stage = play.stage
    async with streaming(play) as talks:
        stage.redis.wire.deafen()
        for tab, said in talks:
            await stage.until(DONE, await tab.accepted(said))
        stage.redis.wire.hear()
        await all_answered(talks)
        await play.judge()


@pytest.mark.thorough
async def test_streams_are_whole_when_subscriptions_are_cut_again_and_again(play: Play) -> None:
    stage = play.stage
    async with streaming(play) as talks:
        with stage.redis.client() as client:
            for _ in range(6):
                client.client_kill_filter(_type="pubsub")
                await asyncio.sleep(0.5)  # between two cuts
        await all_answered(talks)
        await play.judge()


async def test_next_message_is_answered_after_everything(play: Play) -> None:
    """What the tests before this one did to Redis has left nothing behind."""
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say(QUESTION), 10)
        assert turn.text == ANSWER
        await play.judge()
