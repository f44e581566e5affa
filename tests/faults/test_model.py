"""The model's endpoint misbehaves."""

import pytest

from tests.faults.conftest import Play
from tests.faults.stage import ANSWER
from tests.upstream import Reply


async def test_answer_comes_whole_when_nothing_is_wrong(play: Play) -> None:
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say("Is the blue jacket warm?"))
        assert (turn.text, turn.resets) == (ANSWER, 0)
        found = await play.judge()
    assert len(found.entries) == 1


async def test_refused_connection_is_answered_without_the_model(play: Play) -> None:
    play.stage.execute(
        "UPDATE bot_provider SET base_url = 'http://127.0.0.1:9/v1' WHERE name = %s", play.stage.model_name(1)
    )
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say("Is the blue jacket warm?"))
        assert turn.finals[0]["state"] == "degraded"
        found = await play.judge()
    assert {entry["outcome"] for entry in found.entries} == {"unreachable"}
    assert not play.stage.upstream.completions


@pytest.mark.parametrize("chunks", [0, 1, 7])
async def test_reset_connection_is_answered_by_another_call(play: Play, chunks: int) -> None:
    play.stage.enable(2)
    play.stage.upstream.script(Reply(ANSWER, fault="reset", after=chunks, pace=0.05))
    async with play.tab() as tab:
        turn = await tab.reply(await tab.say("Is the blue jacket warm?"))
        assert turn.text == ANSWER
        assert turn.finals[0]["state"] == "answered"
        assert turn.resets == (1 if chunks else 0)
        found = await play.judge()
    assert len(found.entries) == len(play.stage.upstream.completions) == 2
