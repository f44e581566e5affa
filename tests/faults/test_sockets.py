"""Browsers lose their network, do not read, say things twice; web processes are killed or restarted."""

import asyncio

from tests.faults.conftest import Play
from tests.faults.stage import ANSWER
from tests.faults.test_redis import LONG, PACE, QUESTION
from tests.upstream import Reply


async def test_answer_is_whole_when_the_socket_drops_at_each_tenth(play: Play) -> None:
    """And in another tab, on the other web process, that comes when the first one goes."""
    play.stage.upstream.default = Reply(LONG, pace=PACE)

    async def talk(tenth: int) -> None:
        customer = play.customer()
        async with customer.tab(0) as tab:
            said = await tab.say(QUESTION)
            turn = await tab.until(lambda: tab.turn(said))
            await tab.until(lambda: len(turn.text) >= len(LONG) * tenth / 10)
            tab.drop()
            async with customer.tab(1) as other:
                there = (await other.until(lambda: other.turns or len(other.said)))[turn.id]
                await asyncio.gather(tab.reply(said), other.until(lambda: there.ended_at is not None, 30))
                assert tab.connections >= 2
                assert (turn.reply, there.reply) == (LONG, LONG)

    await asyncio.gather(*(talk(tenth) for tenth in range(10)))
    await play.judge()


async def test_message_is_stored_once_when_sent_five_times_at_once(play: Play) -> None:
    customer = play.customer()
    async with customer.tab(0) as one, customer.tab(1) as other:
        said = await one.say(QUESTION)
        again = [one.say(QUESTION, said.id), one.say(QUESTION, said.id)]
        elsewhere = await other.say(QUESTION, said.id)
        await asyncio.gather(*again, other.say(QUESTION, said.id))
        await one.until(lambda: len(said.accepted) == 3)
        await other.until(lambda: len(elsewhere.accepted) == 2)
        turn = await one.reply(said)
        assert turn.text == ANSWER
        found = await play.judge()
    assert len(found.turns) == 1
    assert len(play.stage.upstream.completions) == 1
