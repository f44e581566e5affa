"""The loop over real HTTP: whatever a model does, the customer sees one answer, whole, and once."""

import json
import threading

import pytest
from structlog.testing import capture_logs

from accounts.models import UsageEntry
from bot.errors import Fenced, GaveUp
from bot.llm import errors
from bot.models import Message, Model, Turn
from tests.bot.steps.conftest import Turning
from tests.upstream import Reply


def outcomes() -> list[str]:
    return [*UsageEntry.objects.order_by("id").values_list("outcome", flat=True)]


def told(turning: Turning, number: int) -> list[dict[str, str]]:
    """What tools have answered, as the model reads it with its n-th request."""
    messages = turning.main.completions[number].body["messages"]
    return [json.loads(message["content"]) for message in messages if message["role"] == "tool"]


def calling(*arguments: str, name: str = "look_up", text: str = "") -> Reply:
    return Reply(text, tools=tuple((name, one) for one in arguments))


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("cut", "cut_stream"),
        ("reset", "cut_stream"),
        ("malformed", "malformed"),
        ("half_utf8", "malformed"),
        ("error_event", "server_fault"),
    ],
)
def test_stream_that_breaks_is_taken_back_and_begun_anew(turning: Turning, fault: str, outcome: str) -> None:
    turning.main.script(Reply("Half a sentence that", fault=fault, after=2), Reply("The whole answer."))
    assert turning.ask().text == "The whole answer." == turning.screen.shown
    assert turning.screen.sent.count("reset") == 1
    assert outcomes() == [outcome, "ok"]
    assert [*UsageEntry.objects.order_by("id").values_list("confidence", flat=True)] == ["estimated", "exact"]


def test_stream_that_breaks_before_its_first_text_is_not_noticed(turning: Turning) -> None:
    turning.main.script(Reply(status=503), Reply(fault="cut"), Reply("The whole answer."))
    assert turning.ask().text == "The whole answer." == turning.screen.shown
    assert "reset" not in turning.screen.sent
    assert outcomes() == ["server_fault", "cut_stream", "ok"]


def test_next_model_takes_over_in_mid_answer(turning: Turning) -> None:
    Model.objects.filter(name="main").update(silence_deadline=0.2)
    turning.main.script(Reply("Half a sentence", fault="silence", after=1))
    turning.spare.script(Reply("The whole answer."))
    assert turning.ask().text == "The whole answer." == turning.screen.shown
    assert outcomes() == ["timed_out", "ok"]
    assert turning.calls.model == "spare"


def test_restart_shows_again_what_earlier_rounds_have_said(turning: Turning) -> None:
    turning.main.script(
        calling('{"word": "tent"}', text="Let me see."),
        Reply("Here it", fault="cut", after=2),
        Reply("A tent."),
    )
    assert turning.ask().text == "Let me see.\n\nA tent." == turning.screen.shown
    sent = turning.screen.sent
    assert sent[sent.index("reset") + 1 :][:2] == ["Let me see.", "card word"]


def test_call_of_a_tool_that_breaks_off_is_not_made_twice(turning: Turning) -> None:
    turning.main.script(
        Reply("One moment.", tools=(("look_up", '{"word": "a"}'),), fault="cut", after=3),
        calling('{"word": "a"}'),
        Reply("Found."),
    )
    turning.ask()
    assert len(told(turning, 2)) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("look_up", '{"word": ', "The arguments are not JSON"),
        ("look_up", '["tent"]', "must be a JSON object"),
        ("look_up", '{"wort": "tent"}', "Wrong arguments"),
        ("delete_everything", "{}", "There is no tool called delete_everything"),
    ],
)
def test_wrong_call_of_a_tool_is_told_to_the_model(
    turning: Turning, name: str, arguments: str, answer: str
) -> None:
    turning.main.script(calling(arguments, name=name), Reply("I cannot."))
    assert turning.ask().text == "I cannot."
    assert answer in told(turning, 1)[0]["error"]


def test_usage_that_is_missing_is_estimated(turning: Turning) -> None:
    turning.main.script(Reply("One two three.", usage="never"))
    turning.ask()
    entry = UsageEntry.objects.get()
    assert (entry.outcome, entry.confidence) == ("ok", "estimated")
    assert entry.output_tokens > 0
    assert (turning.calls.input_tokens, turning.calls.output_tokens) == (
        entry.input_tokens,
        entry.output_tokens,
    )


def test_chunks_repeated_after_the_end_are_not_shown(turning: Turning) -> None:
    again = {"choices": [{"index": 0, "delta": {"content": " twice"}, "finish_reason": "stop"}]}
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    turning.main.script(Reply("Once.", extra=(end, again), repeat_finish=True))
    assert turning.ask().text == "Once."


def test_prompt_that_is_too_long_is_shortened_and_keeps_what_tools_have_found(turning: Turning) -> None:
    Model.objects.update(context_tokens=2000)
    for number in range(20):
        author = Message.Author.BOT if number % 2 else Message.Author.CUSTOMER
        conversation = turning.work.conversation
        turn = None if number % 2 == 0 else Turn.objects.create(conversation=conversation, state="done")
        Message.objects.create(conversation=conversation, author=author, masked="word " * 40, turn=turn)
    too_long = Reply(status=400, error={"message": "", "code": "context_length_exceeded"})
    turning.main.script(calling('{"word": "tent"}'), too_long, Reply("A tent."))
    assert turning.ask().text == "A tent."
    lengths = [len(received.body["messages"]) for received in turning.main.completions]
    assert lengths[1] == lengths[0] + 2
    assert lengths[2] < lengths[1]
    assert told(turning, 1) == told(turning, 2) == [{"found": "tent"}]
    assert outcomes() == ["ok", "context_too_long", "ok"]


def test_prompt_that_stays_too_long_is_left_to_the_next_model(turning: Turning) -> None:
    too_long = Reply(status=400, error={"message": "", "code": "context_length_exceeded"})
    turning.main.script(too_long, too_long)
    turning.spare.script(Reply("It fits."))
    assert turning.ask().text == "It fits."
    assert outcomes() == ["context_too_long", "context_too_long", "ok"]


def test_bad_request_goes_to_the_next_model_and_the_operator(turning: Turning) -> None:
    turning.main.script(Reply(status=400, error={"message": "temperature?", "code": "unsupported_value"}))
    turning.spare.script(Reply("Fine."))
    with capture_logs() as logs:
        assert turning.ask().text == "Fine."
    [entry] = [entry for entry in logs if entry["log_level"] == "error"]
    assert (entry["model"], entry["kind"], entry["status"]) == ("main", "bad_request", 400)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=400, error={"message": "", "code": "content_filter"}),
        Reply("So", finish="content_filter"),
    ],
)
def test_refused_content_is_neither_retried_nor_asked_elsewhere(turning: Turning, reply: Reply) -> None:
    turning.main.script(reply)
    with pytest.raises(errors.ContentRefused):
        turning.ask()
    assert (len(turning.main.completions), len(turning.spare.completions)) == (1, 0)


class TestCeilings:
    """Whatever goes round in circles ends, and says why."""

    @pytest.mark.parametrize(
        ("replies", "reason"),
        [
            ([calling(f'{{"word": "{n}"}}') for n in range(9)], "rounds"),
            ([calling(*[f'{{"word": "{n}"}}' for n in range(9)])], "tool calls"),
            (
                [calling('{"word": "a"}'), calling('{ "word":"a" }'), calling('{"word": "a"}')],
                "same call",
            ),
        ],
    )
    def test_loop_is_given_up(
        self, turning: Turning, silent_look_up: None, replies: list[Reply], reason: str
    ) -> None:
        turning.main.script(*replies)
        with pytest.raises(GaveUp) as raised:
            turning.ask()
        assert raised.value.reason == reason
        assert len(turning.main.completions) <= 5

    def test_call_made_twice_is_answered_from_the_first(self, turning: Turning) -> None:
        turning.main.script(calling('{"word": "a"}'), calling('{"word": "a"}'), Reply("A."))
        assert turning.ask().text == "A."
        assert told(turning, 2) == [{"found": "a"}] * 2
        assert len(turning.work.shown.cards) == 1

    @pytest.mark.parametrize(
        ("setting", "amount", "reason"), [("TURN_TOKENS", 4000, "tokens"), ("TURN_COST", "0.05", "cost")]
    )
    def test_dear_turn_is_given_up_before_its_next_call(
        self,
        turning: Turning,
        silent_look_up: None,
        settings: object,
        setting: str,
        amount: object,
        reason: str,
    ) -> None:
        turning.pay(input=10, output=10)
        setattr(settings, setting, type(getattr(settings, setting))(amount))
        dear = {"prompt_tokens": 3800, "completion_tokens": 100, "total_tokens": 3900}
        turning.main.script(
            Reply("", tools=(("look_up", "{}"),), usage=dear | {"completion_tokens": 1100}),
            Reply("Too late."),
        )
        with pytest.raises(GaveUp) as raised:
            turning.ask()
        assert raised.value.reason == reason
        assert len(turning.main.completions) == 1


class TestFence:
    """A turn that somebody else has taken."""

    def test_silent_call_ends_at_once_and_is_charged(self, turning: Turning) -> None:
        turning.main.script(Reply("One two", fault="silence", after=1))
        fence = threading.Thread(
            target=lambda: turning.screen.changed.wait(10) and turning.screen.fenced_event.set()
        )
        fence.start()
        with pytest.raises(Fenced):
            turning.ask()
        fence.join()
        assert turning.main.dropped.acquire(timeout=2)
        assert outcomes() == ["stopped"]
        assert UsageEntry.objects.get().output_tokens == 1
        assert turning.spare.completions == []

    def test_nothing_is_shown_when_the_turn_is_somebody_elses(self, turning: Turning) -> None:
        Turn.objects.update(attempt=2)
        turning.main.script(Reply("Too late."))
        with pytest.raises(Fenced):
            turning.ask()
        assert turning.screen.sent == []
        assert outcomes() == ["stopped"]

    def test_first_text_is_stored_before_it_is_shown(self, turning: Turning) -> None:
        turning.main.script(Reply(status=401))
        turning.spare.script(Reply("Hello there."))
        turning.ask()
        turn = Turn.objects.get()
        assert turn.first_text_at is not None
        assert (turn.model, turn.model_class) == ("spare", "small")
        assert turning.work.first_text_at is not None
