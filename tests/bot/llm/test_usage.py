"""What a call has used, told well, badly or not at all."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.llm import counting, reported, usage
from bot.llm.answer import Answer
from bot.llm.base import Usage
from bot.llm.counting import THOUGHTS_PER_SECOND
from bot.llm.reported import MOST_SENSIBLE, Reported
from tests.bot.llm.conftest import a_request

REQUEST = a_request()
SENT = counting.input_tokens(REQUEST)
TEXT = "one two three four"


def an_answer(told: dict[str, object] | None, text: str = TEXT, finish: str | None = "stop") -> Answer:
    answer = Answer()
    answer.feed({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]})
    answer.feed({"choices": [], "usage": told})
    return answer


def test_reported_keeps_cached_and_thought_tokens_inside_the_counts():
    told = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 99},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    assert reported.read(told) == Reported(10, 10, 5, 4)


def test_reported_counts_thoughts_that_only_the_total_knows():
    details = {"reasoning_tokens": 20}
    told = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 35}
    assert reported.read({**told, "completion_tokens_details": details}) == Reported(10, 0, 25, 20)


def test_reported_nothing_is_none():
    for told in (None, [], {}, {"prompt_tokens": 0}, {"prompt_tokens": "many"}, {"prompt_tokens": -5}):
        assert reported.read(told) is None


@pytest.mark.parametrize("text", [TEXT, ""])
def test_usage_told_whole_is_exact(text):
    output = 7 if text else 0
    told = an_answer({"prompt_tokens": 9, "completion_tokens": output}, text)
    assert usage.of(REQUEST, told, 1) == Usage(9, 0, output, 0, exact=True)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (None, (SENT, 4)),
        ({"prompt_tokens": 9, "completion_tokens": None}, (9, 4)),
        ({"prompt_tokens": 9}, (9, 4)),
        ({"prompt_tokens": 9, "completion_tokens": 0}, (9, 4)),
        ({"prompt_tokens": 9, "completion_tokens": -7}, (9, 4)),
        ({"prompt_tokens": None, "completion_tokens": 7}, (SENT, 7)),
        ({"prompt_tokens": 0, "completion_tokens": 7}, (SENT, 7)),
    ],
)
def test_usage_not_told_whole_is_estimated(told, expected):
    found = usage.of(REQUEST, an_answer(told), 1)
    assert (found.input, found.output) == expected
    assert not found.exact


@pytest.mark.parametrize("much", ["prompt_tokens", "completion_tokens"])
def test_usage_beyond_any_context_is_estimated_with_a_warning(much):
    told = {"prompt_tokens": 9, "completion_tokens": 7, much: MOST_SENSIBLE}
    with capture_logs() as logs:
        assert usage.of(REQUEST, an_answer(told), 1).exact
    assert not logs
    with capture_logs() as logs:
        found = usage.of(REQUEST, an_answer({**told, much: MOST_SENSIBLE + 1}), 1)
    assert found == Usage(SENT, 0, 4, 0, exact=False)
    assert [log["log_level"] for log in logs] == ["warning"]


@pytest.mark.parametrize(("told", "output"), [(1, 4), (30, 30)])
def test_usage_of_an_answer_that_was_cut_is_the_larger_count(told, output):
    cut = an_answer({"prompt_tokens": 9, "completion_tokens": told}, finish=None)
    assert usage.of(REQUEST, cut, 1) == Usage(9, 0, output, 0, exact=False)


@pytest.mark.parametrize(
    ("longest", "seconds", "output"),
    [(5000, 3, 3 * THOUGHTS_PER_SECOND), (500, 3, 500), (None, 3, 3 * THOUGHTS_PER_SECOND), (5000, 0, 4)],
)
def test_usage_nobody_told_of_a_model_that_thinks_unseen_goes_by_time(longest, seconds, output):
    request = a_request(settings={"max_tokens": longest})
    cut = an_answer(None, finish=None)
    assert usage.of(replace(request, thinks=True), cut, seconds).output == output
    assert usage.of(request, cut, seconds).output == 4


def test_usage_told_of_a_model_that_thinks_unseen_stands():
    told = an_answer({"prompt_tokens": 9, "completion_tokens": 7})
    assert usage.of(replace(REQUEST, thinks=True), told, 60) == Usage(9, 0, 7, 0, exact=True)
