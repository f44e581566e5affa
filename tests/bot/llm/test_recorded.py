"""What is reported of a call whose reader closes it."""

from collections.abc import Callable

import pytest

from bot.llm import counting
from bot.llm.base import Finish, Text, ToolRequest
from bot.llm.openai_compatible import OpenAICompatible
from bot.llm.recorded import CallRecord, Recorded
from tests.bot.llm.conftest import a_request
from tests.upstream import Reply, Upstream

THOUGHTS = "Which tent would keep the rain out? " * 100


@pytest.fixture
def closed_at(provider: OpenAICompatible) -> Callable[..., CallRecord]:
    """Ask, close at the first piece of a kind, and give what was reported."""

    def closed_at(kind: type[object], **given: object) -> CallRecord:
        records: list[CallRecord] = []
        pieces = Recorded(provider, "main", lambda call: None, records.append).stream(a_request(**given))
        assert any(isinstance(piece, kind) for piece in pieces)
        pieces.close()
        [record] = records
        return record

    return closed_at


def test_closed_in_its_text_costs_its_thoughts_too(upstream: Upstream, closed_at):
    upstream.script(Reply("one two", thoughts=THOUGHTS, fault="silence", after=2))
    record = closed_at(Text)
    assert (record.error, record.failure) == ("stopped", None)
    assert record.usage.output == counting.tokens(THOUGHTS + "one")
    assert record.usage.input > 5
    assert not record.usage.exact
    assert upstream.dropped.acquire(timeout=2)


def test_closed_at_a_tool_request_costs_what_the_provider_counted(upstream: Upstream, closed_at):
    told = {"prompt_tokens": 40, "completion_tokens": 900}
    upstream.script(Reply("", tools=(("look_up", "{}"),), usage=told))
    record = closed_at(ToolRequest)
    assert record.error == "stopped"
    assert (record.usage.input, record.usage.output, record.usage.exact) == (40, 900, True)


@pytest.mark.parametrize(("thoughts", "output"), [("", range(20, 2000)), ("Hm.", [1])])
def test_model_that_was_seen_to_think_unseen_costs_its_time(upstream: Upstream, closed_at, thoughts, output):
    details = {"completion_tokens_details": {"reasoning_tokens": 90}}
    told = {"prompt_tokens": 40, "completion_tokens": 100, **details}
    slow = Reply("one two", first_token=0.1, fault="silence", after=1)
    upstream.script(slow, Reply("one", thoughts=thoughts, usage=told), slow)
    assert closed_at(Text).usage.output == 1
    assert closed_at(Finish).usage.output == 100
    assert closed_at(Text).usage.output in output


def test_closed_early_by_its_reader_costs_unseen_thoughts(upstream: Upstream, closed_at):
    upstream.script(Reply("one two", first_token=0.2, fault="silence", after=1))
    record = closed_at(Text, thinks=True, settings={"max_tokens": 500})
    assert 0.2 * counting.THOUGHTS_PER_SECOND <= record.usage.output <= 500
