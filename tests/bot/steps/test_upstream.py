"""I10 and I12: every upstream call is charged, before and after, and no connection waits for it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from structlog.testing import capture_logs

from accounts import usage
from accounts.models import Limit, UsageEntry, Window
from bot import metrics
from bot.errors import Fenced
from bot.llm.openai_compatible import OpenAICompatible
from bot.models import Model, Provider, Turn
from bot.steps import calls, upstream
from tests.bot.steps.conftest import Turning
from tests.upstream import Reply


def test_each_model_is_asked_with_its_own_settings_and_only_those_it_takes(turning: Turning) -> None:
    Model.objects.filter(name="main").update(
        temperature=0.2, top_p=0.9, presence_penalty=-1, frequency_penalty=1.5, answer_tokens=50
    )
    Model.objects.filter(name="spare").update(temperature=0.7, answer_tokens=900, sampling=False)
    turning.main.script(Reply(status=401))
    turning.ask()
    main, spare = turning.main.completions[0].body, turning.spare.completions[0].body
    assert main["max_completion_tokens"] == 50
    assert [main[name] for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty")] == [
        0.2,
        0.9,
        -1,
        1.5,
    ]
    assert spare["max_completion_tokens"] == 900
    assert not {"temperature", "top_p", "presence_penalty", "frequency_penalty"} & set(spare)


def test_entry_is_open_and_no_connection_is_held_while_the_model_is_asked(
    turning: Turning, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = OpenAICompatible._post
    seen: list[object] = []

    def watched(self: OpenAICompatible, request: object) -> object:
        seen.append(connection.connection)
        seen.append(UsageEntry.objects.values_list("outcome", "output_tokens").get())
        connection.close()
        return post(self, request)

    monkeypatch.setattr(OpenAICompatible, "_post", watched)
    turning.ask()
    assert seen == [None, ("open", 0)]


def test_no_connection_is_held_while_another_try_is_waited_for(
    turning: Turning, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[object] = []
    monkeypatch.setattr(
        "bot.llm.patience.pause", lambda seconds, cancelled: held.append(connection.connection)
    )
    turning.main.script(Reply(status=500), Reply("Hello."))
    turning.ask()
    assert held == [None]


@pytest.fixture
def fail_to_write(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def fail(times: int) -> None:
        end, left = usage.end, [None] * times

        def flaky(charge: usage.CallCharge) -> None:
            if left:
                left.pop()
                raise OperationalError("the database system is shutting down")
            end(charge)

        monkeypatch.setattr(usage, "end", flaky)

    return fail


def test_charge_outlives_a_restart_of_the_database(
    turning: Turning, fail_to_write: Callable[[int], None]
) -> None:
    fail_to_write(3)
    turning.ask()
    assert UsageEntry.objects.get().outcome == "ok"


def test_charge_that_cannot_be_written_stays_open_and_the_answer_goes_on(
    turning: Turning, fail_to_write: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "CHARGE_SECONDS", 0.1)
    fail_to_write(99)
    with capture_logs() as logs:
        assert turning.ask().text == "Hello from the model."
    entry = UsageEntry.objects.get()
    assert (entry.outcome, entry.confidence) == ("open", "estimated")
    assert entry.input_tokens > 0
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["call not charged"]


def test_call_is_not_made_when_its_entry_cannot_be_opened(
    turning: Turning, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*facts: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(usage, "begin", away)
    with pytest.raises(OperationalError):
        turning.ask()
    assert turning.main.completions == []


def test_provider_at_its_ceiling_is_passed_over(turning: Turning) -> None:
    main = Provider.objects.get(models__name="main")
    Provider.objects.filter(id=main.id).update(max_streams=1)
    Model.objects.update(first_token_deadline=0.2)
    assert upstream._guards().places.take(main.name, 1, "somebody", 60)
    turning.ask()
    assert (len(turning.main.completions), len(turning.spare.completions)) == (0, 1)
    assert [entry.model for entry in UsageEntry.objects.all()] == ["spare"]


def test_calls_are_counted_by_outcome(turning: Turning, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[str, str]] = []
    waited: list[str] = []
    monkeypatch.setattr(
        metrics,
        "count",
        lambda name, amount=1, **labels: counted.append((labels["model"], labels["outcome"])),
    )
    monkeypatch.setattr(metrics, "observe", lambda name, value, **labels: waited.append(name))
    turning.main.script(Reply(status=401))
    turning.ask()
    assert counted == [("main", "refused"), ("spare", "ok")]
    assert waited == ["first_text_over_model_seconds", "upstream_first_token_seconds"]


def test_first_text_is_measured_without_what_the_models_took(
    turning: Turning, monkeypatch: pytest.MonkeyPatch
) -> None:
    observed: dict[str, float] = {}
    monkeypatch.setattr(metrics, "observe", lambda name, value, **labels: observed.update({name: value}))
    Turn.objects.update(queued_at=timezone.now() - timedelta(seconds=30))
    turning.work.turn.refresh_from_db(fields=["queued_at"])
    turning.main.script(Reply(first_token=0.5))
    turning.ask()
    waited = (timezone.now() - turning.work.turn.queued_at).total_seconds()
    assert 30 <= observed["first_text_over_model_seconds"] <= waited - 0.5


def test_calls_sum_what_the_turn_costs(turning: Turning) -> None:
    turning.pay(input=1, output=1)
    used = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    turning.main.script(Reply("", tools=(("look_up", "{}"),), usage=used), Reply("Yes.", usage=used))
    turning.ask()
    assert (turning.calls.input_tokens, turning.calls.output_tokens) == (200, 40)
    assert turning.calls.cost == Decimal("0.00024")
    assert sum(entry.cost or 0 for entry in UsageEntry.objects.all()) == Decimal("0.00024")


def test_what_calls_cost_is_counted_for_those_who_watch(
    turning: Turning, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[str, float]] = []
    monkeypatch.setattr(metrics, "count", lambda name, amount=1, **labels: counted.append((name, amount)))
    turning.pay(input=1, output=1)
    turning.main.script(
        Reply("Yes.", usage={"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120})
    )
    turning.ask()
    assert ("spent_dollars", 0.00012) in counted


@pytest.fixture
def limited(turning: Turning) -> None:
    """Tokens are counted for the turn's customer."""
    Limit.objects.all().delete()
    tier = turning.work.conversation.customer.effective_tier
    Limit.objects.create(tier=tier, metric="total_tokens", amount=100_000)
    # As asking.reply has it.
    turning.bound = usage.Bound(turning.work.binding)


def test_fee_of_a_call_is_due_once_the_provider_has_answered(turning: Turning) -> None:
    turning.pay(input=0, output=0, call=Decimal("0.01"))
    turning.main.script(Reply(status=429), Reply(status=401))
    turning.spare.script(Reply("Half of it", fault="cut", after=2), Reply("Hello."))
    turning.ask()
    charged = {(entry.outcome, entry.cost) for entry in UsageEntry.objects.all()}
    assert charged == {
        ("rate_limited", 0),
        ("refused", 0),
        ("cut_stream", Decimal("0.01")),
        ("ok", Decimal("0.01")),
    }


def test_call_that_never_reached_its_provider_costs_nothing(turning: Turning, limited: None) -> None:
    Provider.objects.filter(models__name="main").update(base_url="http://127.0.0.1:9/v1")
    turning.ask()
    *lost, answered = UsageEntry.objects.order_by("id")
    assert {(entry.outcome, entry.input_tokens, entry.cost) for entry in lost} == {("unreachable", 0, None)}
    window = Window.objects.get()
    assert (window.held, window.settled) == (0, answered.input_tokens + answered.output_tokens)


def test_stopped_call_settles_to_what_was_used(turning: Turning, limited: None) -> None:
    turning.main.script(Reply("One two", fault="silence", after=1))
    fence = threading.Thread(
        target=lambda: turning.screen.changed.wait(10) and turning.screen.fenced_event.set()
    )
    fence.start()
    with pytest.raises(Fenced):
        turning.ask()
    fence.join()
    entry, window = UsageEntry.objects.get(), Window.objects.get()
    assert (entry.outcome, entry.output_tokens, entry.confidence) == ("stopped", 1, "estimated")
    assert (window.held, window.settled) == (0, entry.input_tokens + 1)


@pytest.mark.parametrize("kind", [{"sampling": False}, {"model_class": "reasoning"}, {}])
def test_call_stopped_while_the_model_thinks_unseen_costs_its_time(
    turning: Turning, limited: None, kind: dict[str, object]
) -> None:
    turning.work.conversation.customer.effective_tier.classes = ["small", "reasoning"]
    Model.objects.filter(name="spare").delete()
    Model.objects.update(**kind)
    turning.main.script(Reply(fault="hang"))
    fence = threading.Thread(
        target=lambda: turning.main.arrived.acquire(timeout=10) and turning.screen.fenced_event.set()
    )
    fence.start()
    with pytest.raises(Fenced):
        turning.ask()
    fence.join()
    entry, window = UsageEntry.objects.get(), Window.objects.get()
    assert (entry.outcome, entry.confidence) == ("stopped", "estimated")
    assert bool(entry.output_tokens) == bool(kind)
    assert (window.held, window.overrun) == (0, 0)
    assert window.settled == entry.input_tokens + entry.output_tokens


def test_charge_that_is_written_twice_counts_once(turning: Turning, limited: None) -> None:
    charges: list[usage.CallCharge] = []
    with pytest.MonkeyPatch.context() as patch:
        end = usage.end
        patch.setattr(usage, "end", lambda charge: charges.append(charge) or end(charge))
        turning.ask()
    usage.end(replace(charges[0], tokens=usage.Counted(9999, 9999)))
    entry, window = UsageEntry.objects.get(), Window.objects.get()
    assert (window.held, window.settled) == (0, entry.input_tokens + entry.output_tokens)
    assert entry.input_tokens < 9999
