"""The adapter over real HTTP, answered well and badly."""

import socket
import threading

import pytest

from bot.llm import errors
from bot.llm.base import Finish, Text, ToolRequest, ToolSpec, Usage
from bot.llm.openai_compatible import OpenAICompatible
from bot.llm.wire import Capabilities
from tests.bot.llm.conftest import a_request
from tests.upstream import Reply

HURRIED = {"first_token": 0.3, "silence": 0.3}


def test_stream_yields_text_then_usage_then_finish(upstream, ask):
    upstream.script(Reply("Hello there, friend"))
    assert ask() == [Text("Hello"), Text(" there,"), Text(" friend"), ask_usage(upstream, 3), Finish("stop")]


def ask_usage(upstream, output):
    return Usage(len(upstream.requests[-1].text) // 4, 0, output, 0, exact=True)


def test_stream_assembles_several_tool_requests_cut_in_pieces(upstream, ask):
    upstream.script(Reply("", tools=(("my_orders", "{}"), ("order_status", '{"order": "#W2378156"}'))))
    first, second, usage, finish = ask()
    assert first == ToolRequest("call_0", "my_orders", "{}")
    assert second == ToolRequest("call_1", "order_status", '{"order": "#W2378156"}')
    assert usage.exact
    assert finish == Finish("tool_calls")


def test_stream_survives_repeated_finish_and_missing_done(upstream, ask):
    upstream.script(Reply("Hello", repeat_finish=True, done=False))
    assert [type(piece) for piece in ask()] == [Text, Usage, Finish]


def test_stream_takes_the_last_usage_when_it_is_repeated(upstream, ask):
    early = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}
    last = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 80},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    upstream.script(Reply("Hello", extra=(early,), usage=last))
    assert Usage(100, 80, 50, 40, exact=True) in ask()


def test_stream_counts_usage_itself_when_there_is_none(upstream, ask):
    upstream.script(Reply("Hello there", usage="never"))
    usage = ask()[-2]
    assert usage.output == 2
    assert usage.input > 5
    assert not usage.exact


def test_stream_keeps_the_connection_for_the_next_call(upstream, ask):
    for _ in range(3):
        ask()
    assert upstream.connections == 1


def test_stream_sends_what_the_provider_understands(upstream, provider):
    spec = ToolSpec("my_orders", "List orders.", {"type": "object", "properties": {}})
    settings = {"max_tokens": 50, "temperature": 0.0, "top_p": 0.9, "presence_penalty": -1}
    list(provider.stream(a_request(tools=(spec,), settings=settings)))
    body = upstream.completions[0].body
    assert body["stream_options"] == {"include_usage": True}
    assert body["max_completion_tokens"] == 50
    assert (body["temperature"], body["top_p"], body["presence_penalty"]) == (0, 0.9, -1)
    assert "frequency_penalty" not in body
    assert body["tools"][0]["function"]["name"] == "my_orders"
    plain = Capabilities(False, tools=False, system_role=False, max_tokens_name="max_tokens")
    modest = OpenAICompatible(upstream.base_url, "", plain)
    list(modest.stream(a_request(tools=(spec,), settings={"max_tokens": 50})))
    modest.close()
    body = upstream.completions[1].body
    assert body["max_tokens"] == 50
    assert not {"stream_options", "tools", "temperature"} & set(body)


@pytest.mark.parametrize(
    ("status", "code", "message", "error"),
    [
        (400, None, "bad", errors.BadRequest),
        (400, "context_length_exceeded", "", errors.ContextTooLong),
        (400, None, "This model's maximum context length is 8192 tokens.", errors.ContextTooLong),
        (400, "content_filter", "", errors.ContentRefused),
        (401, "invalid_api_key", "", errors.Refused),
        (402, None, "", errors.QuotaGone),
        (403, None, "", errors.Refused),
        (404, "model_not_found", "", errors.UnknownModel),
        (408, None, "", errors.ServerFault),
        (409, None, "", errors.ServerFault),
        (422, None, "", errors.BadRequest),
        (429, "rate_limit_exceeded", "", errors.RateLimited),
        (429, "insufficient_quota", "", errors.QuotaGone),
        (307, None, "", errors.Refused),
        (500, None, "", errors.ServerFault),
        (503, None, "", errors.ServerFault),
    ],
)
def test_stream_tells_refusals_apart(upstream, ask, status, code, message, error):
    upstream.script(Reply(status=status, error={"message": message, "type": "x", "code": code}))
    with pytest.raises(errors.UpstreamError) as raised:
        ask()
    assert type(raised.value) is error
    assert raised.value.status == status
    assert raised.value.usage is None


@pytest.mark.parametrize(
    ("header", "value", "seconds"),
    [("Retry-After", "2", 2), ("retry-after-ms", "1500", 1.5), ("Retry-After", "nonsense", None)],
)
def test_rate_limit_says_how_long_to_wait(upstream, ask, header, value, seconds):
    upstream.script(Reply(status=429, headers={header: value}))
    with pytest.raises(errors.RateLimited) as raised:
        ask()
    assert raised.value.retry_after == seconds


def test_unreachable_when_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    provider = OpenAICompatible(f"http://127.0.0.1:{port}/v1", "key")
    with pytest.raises(errors.Unreachable) as raised:
        list(provider.stream(a_request()))
    assert raised.value.usage is None
    provider.close()


@pytest.mark.parametrize(
    ("fault", "after", "error"),
    [
        ("cut", 2, errors.CutStream),
        ("cut", 0, errors.CutStream),
        ("reset", 2, errors.CutStream),
        ("malformed", 2, errors.Malformed),
        ("half_utf8", 2, errors.Malformed),
        ("error_event", 2, errors.ServerFault),
    ],
)
def test_broken_stream_raises_after_the_text_and_says_what_it_cost(upstream, provider, fault, after, error):
    upstream.script(Reply("one two three four", fault=fault, after=after))
    shown = []
    with pytest.raises(error) as raised:
        shown += provider.stream(a_request())
    assert raised.value.usage.output == after
    assert raised.value.usage.input > 5
    assert not raised.value.usage.exact


@pytest.mark.parametrize(
    ("code", "kind", "error"),
    [
        ("insufficient_quota", "insufficient_quota", errors.QuotaGone),
        (429, "", errors.RateLimited),
        (None, "rate_limit_error", errors.RateLimited),
        (None, "overloaded_error", errors.ServerFault),
        (None, "invalid_request_error", errors.BadRequest),
    ],
)
def test_error_event_in_a_good_response_is_told_apart(upstream, ask, code, kind, error):
    reported = {"message": "No.", "type": kind, "code": code}
    upstream.script(Reply(fault="error_event", error=reported))
    with pytest.raises(error):
        ask()


def test_error_in_a_good_response_that_is_no_stream_is_told_apart(upstream, ask):
    upstream.script(Reply(fault="plain", error={"message": "Slow down", "code": "rate_limit_exceeded"}))
    with pytest.raises(errors.RateLimited):
        ask()


def test_one_provider_serves_many_threads_at_once(upstream, provider):
    everyone = threading.Event()
    upstream.default = Reply("one two three", gate=everyone, after=1)
    finished = []
    threads = [
        threading.Thread(target=lambda: finished.append(list(provider.stream(a_request()))[-1]))
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert upstream.arrived.acquire(timeout=10)
    everyone.set()
    for thread in threads:
        thread.join(10)
    assert finished == [Finish("stop")] * 50


@pytest.mark.parametrize(
    ("reply", "deadlines", "deadline"),
    [
        (Reply(fault="hang"), HURRIED, "first_token"),
        (Reply(fault="silence"), HURRIED, "first_token"),
        (Reply(fault="keepalive"), HURRIED, "first_token"),
        (Reply("one two", fault="silence", after=1), HURRIED, "silence"),
        (Reply("one two", fault="keepalive", after=1), HURRIED, "silence"),
        (Reply("word " * 100, pace=0.05), {**HURRIED, "whole": 0.5}, "whole"),
    ],
)
def test_deadline_ends_the_call_and_the_connection(upstream, provider, reply, deadlines, deadline):
    upstream.script(reply)
    with pytest.raises(errors.TimedOut) as raised:
        list(provider.stream(a_request(deadlines=deadlines)))
    assert raised.value.deadline == deadline
    assert raised.value.usage is not None
    assert upstream.dropped.acquire(timeout=2)


def test_silence_may_be_longer_than_the_first_token_takes(upstream, provider):
    upstream.script(Reply("one two", pace=0.4))
    pieces = list(provider.stream(a_request(deadlines={"first_token": 0.2, "silence": 2})))
    assert pieces[-1] == Finish("stop")


def test_silence_does_not_count_the_time_its_reader_takes(upstream, provider):
    upstream.script(Reply("one two"))
    stream = provider.stream(a_request(deadlines=HURRIED))
    next(stream)
    threading.Event().wait(0.6)  # longer than the deadline
    assert list(stream)[-1] == Finish("stop")


def test_closing_the_stream_hangs_up_at_once(upstream, provider):
    upstream.script(Reply("one two", fault="silence", after=1))
    stream = provider.stream(a_request())
    assert next(stream) == Text("one")
    stream.close()
    assert upstream.dropped.acquire(timeout=2)


def test_nothing_is_sent_before_the_first_piece_is_asked_for(upstream, provider):
    provider.stream(a_request()).close()
    assert upstream.requests == []


def test_models_lists_names(upstream, provider):
    assert provider.models() == ["small-model", "large-model"]


def test_models_raises_our_error_when_nobody_listens():
    provider = OpenAICompatible("http://127.0.0.1:1/v1", "key")
    with pytest.raises(errors.Unreachable):
        provider.models()
    provider.close()
