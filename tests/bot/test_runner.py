"""What becomes of a tool call that goes wrong, and what its trace may say."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pydantic import BaseModel, computed_field, field_serializer
from structlog.testing import capture_logs

from accounts import limits
from accounts.models import Customer, Deployment, Hold, Limit, Window
from bot import events
from bot.models import Conversation, ToolCall, Turn
from bot.privacy import policy as policies
from bot.privacy.memory_vault import MemoryVault
from bot.privacy.placeholders import Span
from bot.privacy.rules import Rules
from bot.privacy.veil import Veil
from bot.tools import people, registry, runner
from bot.tools.registry import Card, Private, Proposal, ToolContext, ToolResult, tool
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


class Home(BaseModel):
    street: str
    floor: int
    mail: Annotated[str, Private("EMAIL")]


@dataclass
class Key:
    door: Annotated[int, Private("SECRET")]


class Everything(BaseModel):
    """Private fields of all types, in all places."""

    status: str = "open"
    metadata: dict[str, str] = {"serialization": "none", "metadata": "none"}
    pin: Annotated[int, Private("SECRET")] = 4821
    bank: Annotated[str, Private("BANK")] = "12-34-56"
    born: Annotated[date, Private("BIRTHDATE")] = date(1990, 5, 2)
    words: Annotated[list[str], Private("PRIVATE")] = ["secret1", "secret2"]
    phone: Annotated[str, Private("PHONE")] | None = "4711"
    fax: Annotated[str | None, Private("PHONE")] = None
    rest: list[Annotated[str, Private("PRIVATE")]] = ["K-77"]
    by_name: dict[Annotated[str, Private("PERSON")], Annotated[float, Private("PRIVATE")]] = {"Erik": 12.5}
    owners: Annotated[dict[str, int], Private("PRIVATE")] = {"Zoe": 77}
    home: Annotated[Home, Private("ADDRESS")] = Home(street="Elm 3", floor=8, mail=SECRET)
    key: Key = Key(9055)
    vip: Annotated[bool, Private("PRIVATE")] = True

    @computed_field  # type: ignore[prop-decorator]
    @property
    def code(self) -> Annotated[str, Private("SECRET")]:
        return "x9y8"


PRIVATE = "4821 12-34-56 1990-05-02 secret1 secret2 4711 K-77 Erik 12.5 Zoe 77 9055 x9y8".split()  # noqa: SIM905
NOTE = f"true: {', '.join(PRIVATE)}; paid 129.77, HP-10423 of 2026-05-77"


@tool()
def tells_all(context: ToolContext) -> ToolResult:
    """Tell everything, in the card too."""
    card = {"note": NOTE, "pin": 4821, "Erik": {"4711": 3}, "count": 3}
    return ToolResult(Everything(), Card("order", card))


class Overruled(BaseModel):
    pin: Annotated[str, Private("SECRET")] = "x9y8"

    @field_serializer("pin")
    def spaced(self, pin: str) -> str:
        return " ".join(pin)


class Around(BaseModel):
    homes: list[Home] = [Home(street="Elm 3", floor=8, mail=SECRET)]
    first: Home = Home(street="Elm 3", floor=8, mail=SECRET)

    @field_serializer("first")
    def line(self, first: Home) -> str:
        return f"{first.street}, {first.mail}"


@tool()
def overrules(context: ToolContext, around: bool) -> ToolResult:
    """Write a private field in a way of its own."""
    return ToolResult(Around() if around else Overruled())


@pytest.fixture
def bench(alice: Customer, monkeypatch: pytest.MonkeyPatch) -> runner.Bench:
    monkeypatch.setattr(
        registry, "offered", lambda: {one.name: one for one in (breaks, floods, tells_all, overrules)}
    )
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


def test_declared_private_fields_are_masked_by_their_place_whatever_their_type(bench: runner.Bench) -> None:
    answer = ask(bench, "tells_all")
    card = bench.shown.cards[0]["data"]
    assert ToolCall.objects.get().result == answer
    assert not [value for value in (*PRIVATE, SECRET) if f'"{value}"' in json.dumps([answer, card])]
    plain = bench.veil.unmask_json(answer)
    told = Everything().model_dump(mode="json")
    assert json.dumps(plain).replace(chr(34), "") == json.dumps(told).replace(chr(34), "")
    assert answer["status"] == "open"
    assert answer["home"] == {"street": "<ADDRESS_1>", "floor": "<ADDRESS_2>", "mail": "<EMAIL_1>"}
    assert answer["vip"].startswith("<PRIVATE_")
    assert answer["fax"] is None


def test_declared_private_values_are_found_in_the_card_but_not_in_other_numbers(bench: runner.Bench) -> None:
    ask(bench, "tells_all")
    card = bench.shown.cards[0]["data"]
    note = card["note"].split(";")
    assert not [value for value in PRIVATE if value in note[0]]
    assert note[0].startswith("true: <")
    assert note[1] == " paid 129.77, HP-10423 of 2026-05-77"
    assert card["pin"] == "<SECRET_1>"
    assert card["<PERSON_1>"] == {"<PHONE_1>": 3}
    assert card["count"] == 3


@pytest.mark.parametrize("around", ["true", "false"])
def test_private_field_that_the_site_serialises_itself_is_refused(bench: runner.Bench, around: str) -> None:
    with capture_logs() as logs:
        assert "failed" in ask(bench, "overrules", f'{{"around": {around}}}')["error"]
    assert logs[0]["event"] == "tool result unfit"


class TestActions:
    """Each run of a tool counts where a limit counts actions."""

    ran: list[str]

    @pytest.fixture(autouse=True)
    def tools(self, bench: runner.Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ran = []

        @tool()
        def looks(context: ToolContext, word: str = "") -> ToolResult:
            """Look something up."""
            self.ran.append(word)
            return ToolResult({"found": word})

        @tool(changes=lambda context: Proposal("Cancel it", []))
        def cancels(context: ToolContext) -> ToolResult:
            """Cancel something."""
            self.ran.append("cancelled")
            return ToolResult({})

        monkeypatch.setattr(registry, "offered", lambda: {"looks": looks, "cancels": cancels})

    @pytest.fixture
    def limited(self, alice: Customer, bench: runner.Bench, tools: None) -> Callable[..., runner.Bench]:
        def limit(amount: int = 1, **fields: object) -> runner.Bench:
            Limit.objects.create(tier=alice.effective_tier, metric="actions", amount=amount, **fields)
            return replace(bench, binding=limits.binding(alice))

        return limit

    def test_model_is_told_when_none_is_left(self, limited: Callable[..., runner.Bench]) -> None:
        bench = limited()
        assert ask(bench, "looks", '{"word": "tent"}') == {"found": "tent"}
        refused = runner.run(bench, requested("looks", '{"word": "rope"}'), "call_2")
        assert isinstance(refused, runner.Ran)
        told = json.loads(refused.content)
        assert told["error"] == runner.NO_MORE
        assert told["limit"].startswith("The limit of lookups and actions today leaves no room for more now.")
        assert self.ran == ["tent"]
        assert [*Window.objects.values_list("held", "settled")] == [(0, 1)]

    def test_call_that_does_not_come_to_run_counts_nothing(
        self, limited: Callable[..., runner.Bench]
    ) -> None:
        bench = limited()
        assert "error" in ask(bench, "looks", '{"wort": "tent"}')
        assert isinstance(runner.run(bench, requested("cancels", "{}"), "call_2"), runner.Asked)
        assert not Hold.objects.exists()

    @pytest.mark.parametrize(("amount", "state"), [(1, "done"), (0, "failed")])
    def test_approved_change_is_an_action_too(
        self, limited: Callable[..., runner.Bench], amount: int, state: str
    ) -> None:
        bench = limited(amount)
        Turn.objects.filter(id=bench.turn.id).update(state="running", attempt=1)
        call = ToolCall.objects.create(
            turn=bench.turn, call="c", name="cancels", arguments={}, state="approved", carried_by=bench.turn
        )
        assert runner.carry_out(bench, call) is not None
        assert (call.state, bool(self.ran)) == (state, state == "done")

    def test_person_is_called_where_no_action_is_left(
        self, limited: Callable[..., runner.Bench], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench = limited(0)
        monkeypatch.setattr(registry, "offered", lambda: {people.ask_for_human.name: people.ask_for_human})
        ran = runner.run(bench, requested("ask_for_human", "{}"), "call_1")
        assert isinstance(ran, runner.Ran)
        assert ran.handover == "customer_request"
        assert not Hold.objects.exists()

    @pytest.mark.parametrize("counted", [True, False])
    def test_switch_that_stops_spending_stops_no_tool(
        self, bench: runner.Bench, limited: Callable[..., runner.Bench], counted: bool
    ) -> None:
        Deployment.objects.create(id=1, stopped_at=timezone.now())
        assert ask(limited(5) if counted else bench, "looks", '{"word": "tent"}') == {"found": "tent"}

    @pytest.mark.parametrize(("asks", "counted"), [("large", 1), ("small", 0)])
    def test_limit_of_a_class_counts_what_its_models_ask_for(
        self, limited: Callable[..., runner.Bench], asks: str, counted: int
    ) -> None:
        bench = replace(limited(model_class="large"), model_class=asks)
        ask(bench, "looks")
        assert Hold.objects.filter(state="settled").count() == counted

    def test_no_statement_is_spent_where_no_limit_counts_them(self, bench: runner.Bench) -> None:
        with CaptureQueriesContext(connection) as seen:
            ask(bench, "looks")
        assert self.ran
        assert "accounts_" not in str(seen.captured_queries)
