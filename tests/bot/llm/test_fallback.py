"""Retrying, falling back and reporting, over scripted providers."""

import threading

import pytest

from bot.llm import errors
from bot.llm.base import Deadlines, Finish, Restart, Settings, Text, ToolRequest, Usage
from bot.llm.breaker import LocalBreakers
from bot.llm.fallback import Fallback, Guards, Target
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
            guards=Guards(LocalBreakers(), pause=lambda seconds, cancelled: self.slept.append(seconds)),
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
    assert 0 <= chain.slept[0] <= 0.4
    assert 0 <= chain.slept[1] <= 0.8


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
        errors.BadRequest("Bad"),
        errors.ContextTooLong("Long"),
        errors.TimedOut("first_token"),
    ],
)
def test_fallback_goes_on_at_once_when_asking_again_is_useless(error):
    chain = Chain(Scripted(error), Scripted("Hello"))
    assert chain.ask()[0] == Text("Hello")
    assert chain.told == [("main", "m-1", error.kind), ("spare", "m-2", None)]
    assert chain.slept == []


@pytest.mark.parametrize("error", [errors.ContentRefused("No"), errors.Stopped("Over")])
def test_fallback_raises_at_once_what_no_other_model_mends(error):
    second = Scripted("Hello")
    chain = Chain(Scripted(error), second)
    with pytest.raises(type(error)):
        chain.ask()
    assert second.requests == []
    assert chain.slept == []


def test_fallback_raises_the_last_error_when_nobody_can_answer():
    chain = Chain(Scripted(errors.QuotaGone("Pay")), Scripted(errors.Refused("Key")))
    with pytest.raises(errors.Refused):
        chain.ask()


@pytest.mark.parametrize("error", [errors.CutStream("Cut"), errors.Malformed("?"), errors.ServerFault("No")])
def test_retry_takes_seen_text_back_and_begins_anew(error):
    chain = Chain(Scripted(["one ", error], ["two ", error], "three"), Scripted())
    pieces = chain.ask()
    assert [piece for piece in pieces if not isinstance(piece, Usage)] == [
        Text("one "),
        Restart(),
        Text("two "),
        Restart(),
        Text("three"),
        Finish("stop"),
    ]
    assert [told[2] for told in chain.told] == [error.kind, error.kind, None]


def test_retry_is_silent_when_nothing_was_seen():
    chain = Chain(Scripted(errors.CutStream("Cut"), "Hello"), Scripted())
    assert Restart() not in chain.ask()


def test_next_target_begins_anew_after_seen_text():
    cost = Usage(5, 0, 2, 0, exact=False)
    chain = Chain(Scripted(["one", errors.TimedOut("silence", usage=cost)]), Scripted("Hello"))
    assert chain.ask()[:3] == [Text("one"), Restart(), Text("Hello")]
    assert (chain.records[0].error, chain.records[0].usage) == ("timed_out", cost)
    assert chain.told[1] == ("spare", "m-2", None)


def test_tool_requests_of_a_failed_call_are_taken_back():
    asked = ToolRequest("1", "my_orders", "{}")
    chain = Chain(Scripted([asked, errors.ServerFault("No")], [asked]), Scripted())
    assert chain.ask()[:3] == [asked, Restart(), asked]


def test_text_of_the_last_target_that_fails_is_the_readers():
    chain = Chain(Scripted(errors.Refused("Key")), Scripted(["one", errors.TimedOut("silence")]))
    stream = chain.provider.stream(a_request())
    assert next(stream) == Text("one")
    with pytest.raises(errors.TimedOut):
        next(stream)


def test_context_too_long_is_shortened_once_and_then_left_to_the_next_target():
    shorter = ({"role": "user", "content": "Short"},)
    too_long = errors.ContextTooLong("Long")
    first, second = Scripted(too_long, too_long), Scripted("Hello")
    chain = Chain(first, second)
    pieces = chain.ask(shorten=lambda: shorter)
    assert pieces[0] == Text("Hello")
    assert [request.messages == shorter for request in first.requests] == [False, True]
    assert second.requests[0].messages == shorter
    assert len(chain.told) == 3


def test_context_that_fits_once_shortened_is_answered_by_the_same_target():
    first = Scripted(errors.ContextTooLong("Long"), "Hello")
    chain = Chain(first, Scripted())
    assert chain.ask(shorten=lambda: ({"role": "user", "content": "Short"},))[0] == Text("Hello")
    assert first.requests[1].messages[0]["content"] == "Short"


def test_each_target_is_asked_in_its_own_way():
    first, second = Scripted(errors.Refused("Key")), Scripted("Hello")
    targets = [
        Target("main", "m-1", first, Settings(temperature=0.1), Deadlines(first_token=2, whole=20)),
        Target("spare", "m-2", second, Settings(max_tokens=9), Deadlines(120, 120, 120, 240), thinks=True),
    ]
    provider = Fallback(
        targets,
        before_call=lambda call: None,
        after_call=lambda record: None,
        guards=Guards(LocalBreakers()),
    )
    list(provider.stream(a_request(deadlines={"whole": 100})))
    one, other = first.requests[0], second.requests[0]
    assert (one.settings, other.settings) == (Settings(temperature=0.1), Settings(max_tokens=9))
    assert (one.thinks, other.thinks) == (False, True)
    assert (one.deadlines.first_token, other.deadlines.first_token) == (2, 120)
    assert one.deadlines.whole <= 20
    assert 90 < other.deadlines.whole <= 100


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
    guards = Guards(LocalBreakers())
    provider = Fallback([target], before_call=refuse, after_call=records.append, guards=guards)
    with pytest.raises(NothingLeft):
        next(provider.stream(a_request()))
    assert asked.requests == []
    assert records == []


def test_before_call_may_give_another_request_instead():
    shorter = a_request("Short?", settings={"max_tokens": 9})
    asked, records = Scripted("Hello"), []
    provider = Fallback(
        [Target("main", "m-1", asked)],
        before_call=lambda call: shorter,
        after_call=records.append,
        guards=Guards(LocalBreakers()),
    )
    list(provider.stream(a_request()))
    assert asked.requests == [shorter]
    assert records[0].call.request == shorter


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
