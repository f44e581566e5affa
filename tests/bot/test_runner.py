"""What becomes of a tool call that goes wrong, and what its trace may say."""

import json
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from accounts.models import Customer
from bot import events
from bot.models import Conversation, ToolCall, Turn
from bot.privacy import policy as policies
from bot.privacy.memory_vault import MemoryVault
from bot.privacy.placeholders import Span
from bot.privacy.rules import Rules
from bot.privacy.veil import Veil
from bot.tools import registry, runner
from bot.tools.registry import ToolContext, ToolResult, tool
from tests.bot.privacy.doubles import InProcess

SECRET = "jane.roe@example.org"


class Nothing:
    """A detector that finds nothing."""

    def detect(self, texts: Sequence[str], language: str, rules: Rules) -> list[list[Span]]:
        return [[] for _ in texts]


@tool()
def breaks(context: ToolContext) -> ToolResult:
    """Break, and say something private."""
    raise RuntimeError(f"no row for {SECRET}")


@tool()
def floods(context: ToolContext) -> ToolResult:
    """Find far too much."""
    return ToolResult({"rows": ["x" * 100] * 1000})


@pytest.fixture
def bench(alice: Customer, monkeypatch: pytest.MonkeyPatch) -> runner.Bench:
    monkeypatch.setattr(registry, "offered", lambda: {"breaks": breaks, "floods": floods})
    turn = Turn.objects.create(conversation=Conversation.objects.create(site=alice.site, customer=alice))
    log = events.TurnLog(turn.id, 1, turn.conversation_id)
    veil = Veil(MemoryVault(), Nothing(), "en", policies.of(alice.site))  # type: ignore[arg-type]
    return runner.Bench(turn, veil, log, runner.Shown(), "alice", "demo", "en")


def ask(bench: runner.Bench, name: str, arguments: str = "{}") -> dict[str, str]:
    ran = runner.run(bench, requested(name, arguments), "call_1")
    assert isinstance(ran, runner.Ran)
    answer: dict[str, str] = json.loads(ran.content)
    return answer


def requested(name: str, arguments: str) -> runner.ToolRequest:
    return runner.ToolRequest(id="1", name=name, arguments=arguments)


def test_failing_tool_is_told_to_the_model_and_logged_without_its_words(bench: runner.Bench) -> None:
    with capture_logs() as logs:
        assert "failed" in ask(bench, "breaks")["error"]
    assert ToolCall.objects.get().state == "failed"
    assert logs[0]["error"] == "RuntimeError"
    assert SECRET not in str(logs)


def test_result_that_is_too_long_is_refused(bench: runner.Bench) -> None:
    assert "too long" in ask(bench, "floods")["error"]


@pytest.mark.parametrize("arguments", ["[]", "nope", '{"unknown": 1}'])
def test_bad_arguments_are_named(bench: runner.Bench, arguments: str) -> None:
    assert "argument" in ask(bench, "breaks", arguments)["error"].lower()


def test_placeholder_that_stands_for_nothing_is_refused(bench: runner.Bench) -> None:
    assert "placeholder" in ask(bench, "breaks", '{"who": "<EMAIL_9>"}')["error"]


def test_value_that_a_model_writes_for_a_tool_is_masked_before_it_is_stored_or_said_again(
    bench: runner.Bench,
) -> None:
    bench.veil.engine = InProcess()
    bench.veil.vault.placeholder("PERSON", "Jane Roe")
    ran = runner.run(
        bench, requested("breaks", json.dumps({"to": SECRET, "who": "person_1, <person_1>"})), "1"
    )
    assert isinstance(ran, runner.Ran)
    masked = {"to": "<EMAIL_1>", "who": "person_1, <PERSON_1>"}
    assert json.loads(ran.arguments) == ToolCall.objects.get().arguments == masked
    assert SECRET not in ran.content
