"""Retrying, falling back and reporting, over scripted providers."""

import threading

import pytest

from bot.llm import errors
from bot.llm.base import Finish, Text, ToolRequest, Usage
from bot.llm.breaker import LocalBreakers
from bot.llm.fallback import Fallback, Target
from bot.llm.scripted import Scripted
from tests.bot.llm.conftest import a_request


class Chain:
    """Two scripted targets and everything that was noticed about them."""

    def __init__(self, first: Scripted, second: Scripted) -> None:
        self.announced, self.records, self.slept = [], [], []
        self.provider = Fallback(
            [Target("main", "m-1", first), Target("spare", "m-2", second)],
            before_call=self.announced.append,
            after_call=self.records.append,
            breakers=LocalBreakers(),
            sleep=self.slept.append,
        )

    def ask(self, **given):
        return list(self.provider.stream(a_request(**given)))

    @property
    def told(self):
        return [(record.call.provider, record.call.model, record.error) for record in self.records]


def test_fallback_asks_the_first_target_alone_when_it_answers():
    first, second = Scripted("Hello"), Scripted()
    chain = Chain(first, second)
    assert chain.ask() == [Text("Hello"), Usage(10, 0, 1, 0, exact=True), Finish("stop")]
    assert first.requests[0].model == "m-1"
    assert chain.told == [("main", "m-1", None)]
    [record] = chain.records
    assert record.usage == Usage(10, 0, 1, 0, exact=True)
    assert record.first_token_seconds <= record.seconds
    assert [call.id for call in chain.announced] == [record.call.id]


def test_retry_asks_twice_more_then_the_next_target_and_reports_each_call():
    fault = errors.ServerFault("No.", status=500)
    chain = Chain(Scripted(fault, fault, fault), Scripted("Hello"))
    assert chain.ask()[0] == Text("Hello")
    assert chain.told == [("main", "m-1", "server_fault")] * 3 + [("spare", "m-2", None)]
    assert len({record.call.id for record in chain.records}) == 4
    assert len(chain.slept) == 2
    assert chain.slept[0] < chain.slept[1]


def test_retry_waits_as_long_as_the_provider_asks():
    chain = Chain(Scripted(errors.RateLimited("Wait", retry_after=2.5), "Hello"), Scripted())
    assert chain.ask()[0] == Text("Hello")
    assert chain.slept == [2.5]


@pytest.mark.parametrize(
    "error",
    [
        errors.RateLimited("Wait a minute", retry_after=60),
        errors.QuotaGone("Pay"),
        errors.Refused("Key"),
        errors.UnknownModel("Who?"),
        errors.TimedOut("first_token"),
    ],
)
def test_fallback_goes_on_at_once_when_asking_again_is_useless(error):
    chain = Chain(Scripted(error), Scripted("Hello"))
    assert chain.ask()[0] == Text("Hello")
    assert chain.told == [("main", "m-1", error.kind), ("spare", "m-2", None)]
    assert chain.slept == []


@pytest.mark.parametrize(
    "error", [errors.BadRequest("Bad"), errors.ContextTooLong("Long"), errors.ContentRefused("No")]
)
def test_fallback_raises_at_once_what_is_the_requests_fault(error):
    second = Scripted("Hello")
    with pytest.raises(type(error)):
        Chain(Scripted(error), second).ask()
    assert second.requests == []


def test_fallback_raises_the_last_error_when_nobody_can_answer():
    chain = Chain(Scripted(errors.QuotaGone("Pay")), Scripted(errors.Refused("Key")))
    with pytest.raises(errors.Refused):
        chain.ask()


def test_error_after_the_first_text_is_the_readers():
    cost = Usage(5, 0, 2, 0, exact=False)
    second = Scripted("Hello")
    chain = Chain(Scripted(["one", errors.CutStream("Cut", usage=cost)]), second)
    stream = chain.provider.stream(a_request())
    assert next(stream) == Text("one")
    with pytest.raises(errors.CutStream):
        next(stream)
    assert second.requests == []
    assert [(record.error, record.usage) for record in chain.records] == [("cut_stream", cost)]


def test_failed_call_that_cost_nothing_is_reported_with_no_tokens():
    chain = Chain(Scripted(errors.QuotaGone("Pay")), Scripted("Hello"))
    chain.ask()
    assert chain.records[0].usage == Usage(0, 0, 0, 0, exact=True)


def test_closed_stream_is_reported_with_an_estimate():
    never = threading.Event()
    first = Scripted(["one two", never, "three"])
    chain = Chain(first, Scripted())
    stream = chain.provider.stream(a_request())
    next(stream)
    stream.close()
    [record] = chain.records
    assert record.error == "stopped"
    assert record.usage.output == 2
    assert not record.usage.exact
    assert first.closed_early == 1


def test_stream_closed_after_its_finish_is_reported_as_well_ended():
    chain = Chain(Scripted([ToolRequest("1", "my_orders", "{}")]), Scripted())
    stream = chain.provider.stream(a_request())
    assert [next(stream) for _ in range(3)][-1] == Finish("tool_calls")
    stream.close()
    assert chain.records[0].error is None


class NothingLeft(Exception):
    pass


def test_before_call_may_refuse_and_nothing_is_asked():
    def refuse(call):
        raise NothingLeft

    asked, records = Scripted("Hello"), []
    target = Target("main", "m-1", asked)
    provider = Fallback([target], before_call=refuse, after_call=records.append, breakers=LocalBreakers())
    with pytest.raises(NothingLeft):
        next(provider.stream(a_request()))
    assert asked.requests == []
    assert records == []


def test_later_targets_get_only_the_time_that_is_left():
    second = Scripted("Hello")
    Chain(Scripted(errors.TimedOut("first_token")), second).ask(deadlines={"whole": 50})
    assert second.requests[0].deadlines.whole < 50


def test_nobody_else_is_asked_when_the_time_is_over():
    second = Scripted("Hello")
    with pytest.raises(errors.TimedOut):
        Chain(Scripted(errors.TimedOut("whole")), second).ask(deadlines={"whole": 0})
    assert second.requests == []


def test_open_breaker_is_passed_over_without_a_call():
    fault = errors.TimedOut("silence")
    chain = Chain(Scripted(*[fault] * 5), Scripted(*["Hello"] * 6))
    for _ in range(6):
        assert chain.ask()[0] == Text("Hello")
    assert chain.told.count(("main", "m-1", "timed_out")) == 5
    assert chain.told[-2:] == [("spare", "m-2", None)] * 2
