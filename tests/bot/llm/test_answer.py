"""What odd servers send, put together."""

from bot.llm.answer import Answer
from bot.llm.base import ToolRequest


def chunk(finish=None, **delta):
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def calling(index, arguments, **function):
    call = {"function": {**function, "arguments": arguments}}
    return chunk(tool_calls=[call | ({} if index is None else {"index": index})])


def fed(*chunks):
    answer = Answer()
    return answer, "".join(answer.feed(each) for each in chunks)


def test_answer_ignores_nulls_and_empty_chunks():
    answer, text = fed(
        {"choices": [], "prompt_filter_results": []},
        {"choices": None},
        {"choices": [{"delta": None}]},
        chunk(content=None, tool_calls=None, role="assistant"),
        chunk(content="Hi", finish=""),
    )
    assert text == "Hi"
    assert answer.finish is None


def test_answer_reads_content_sent_as_parts():
    assert fed(chunk(content=[{"type": "text", "text": "Hi"}, {"type": "thinking"}]))[1] == "Hi"


def test_answer_charges_thoughts_without_showing_them():
    answer, text = fed(chunk(reasoning_content="Hm."), chunk(reasoning="So."), chunk(content="Hi"))
    assert text == "Hi"
    assert answer.begun
    assert answer.produced == "Hm.So.Hi"


def test_answer_ignores_other_choices_and_what_follows_the_end():
    other = {"choices": [{"index": 1, "delta": {"content": "no"}}]}
    assert fed(other, chunk(content="Hi"), chunk("stop"), chunk(content="Hi"), chunk("stop"))[1] == "Hi"


def test_answer_joins_a_surrogate_pair_cut_in_half_and_drops_nul():
    answer = Answer()
    texts = [answer.feed(chunk(content=text)) for text in ("a\ud83d", "\ude00b\0", "\udc00")]
    assert texts == ["a", "😀b", "\ufffd"]


def test_tool_requests_by_servers_that_number_every_call_zero():
    answer, _ = fed(
        chunk(tool_calls=[{"index": 0, "id": "a", "function": {"name": "one", "arguments": "{}"}}]),
        chunk(tool_calls=[{"index": 0, "id": "b", "function": {"name": "two", "arguments": "{}"}}]),
        chunk("stop"),
    )
    assert list(answer.tool_requests()) == [ToolRequest("a", "one", "{}"), ToolRequest("b", "two", "{}")]
    assert answer.finish == "tool_calls"


def test_tool_request_without_id_or_number_and_with_arguments_as_an_object():
    answer, _ = fed(calling(None, "", name="one"), calling(None, {"order": 1}), chunk("tool_calls"))
    [request] = answer.tool_requests()
    assert request.id.startswith("call_")
    assert (request.name, request.arguments) == ("one", '{"order": 1}')


def test_tool_request_without_arguments_is_an_empty_object():
    answer, _ = fed(calling(0, "", name="one"))
    assert next(answer.tool_requests()).arguments == "{}"


def test_finish_reasons_of_other_servers_are_known():
    assert [fed(chunk(reason))[0].finish for reason in ("STOP", "max_tokens", "eos", "SAFETY")] == [
        "stop",
        "length",
        "stop",
        "content_filter",
    ]
