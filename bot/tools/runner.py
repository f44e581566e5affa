"""One tool call, from the model's raw request to the result it may see."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone
from pydantic import BaseModel

from accounts import quota
from accounts.limits import Binding
from bot import events, limit_told, words
from bot.errors import place
from bot.llm.base import ToolRequest
from bot.models import ToolCall, Turn
from bot.privacy import veil
from bot.privacy.veil import Veil
from bot.tools import registry
from bot.tools.registry import Tool, ToolContext, ToolError, ToolResult

APPROVAL_MINUTES = 15
RESULT_CHARACTERS = 12_000
# An action that takes longer still counts, as one too many where others have taken its place.
ACTION_SECONDS = 300
NO_MORE = (
    "No more lookups are possible now. Answer with what you have; where that is not enough, offer a person."
)
NOT_DONE = "This was not done: no more actions are possible now. Say so, and offer a person."
TITLE_CHARACTERS = 120  # as the site wrote it: placeholders may be longer

log = structlog.get_logger(__name__)


@dataclass
class Shown:
    """What tools have put under the reply so far."""

    cards: list[dict[str, Any]] = field(default_factory=list)
    sources: list[events.Source] = field(default_factory=list)


@dataclass(frozen=True)
class Ran:
    """A tool answered: `arguments` and `content` are JSON for the model, without private values."""

    content: str
    handover: events.HandoverReason | None = None
    arguments: str = "{}"


@dataclass(frozen=True)
class Asked:
    """A change was proposed: the customer decides."""

    call: ToolCall


@dataclass(frozen=True)
class Bench:
    """What a tool call works with: whose turn it is, how to mask, where to show."""

    turn: Turn
    veil: Veil
    events: events.TurnLog
    shown: Shown
    customer: str | None
    site: str
    locale: str
    # What limits the customer's actions, and which model asks for them, if any.
    binding: Binding = field(default_factory=Binding)
    model_class: str = ""
    model: str = ""

    def context(self, key: UUID) -> ToolContext:
        """For whom a tool works; `key` is the same each time the same call is tried."""
        return ToolContext(site=self.site, customer=self.customer, locale=self.locale, key=str(key))


def run(bench: Bench, request: ToolRequest, call_name: str) -> Ran | Asked:
    """Check a request, then run the tool, or propose its change; whatever is wrong is told to the model."""
    arguments: dict[str, Any] = {}
    try:
        tool = _find(request.name)
        arguments = bench.veil.mask_arguments(_parse(request))
        checked = _check(bench, tool, arguments)
        if tool.changes:
            return _propose(bench, tool, arguments, checked, call_name)
    except ToolError as error:
        ran = Ran(_failure(bench, _record(bench, request.name, arguments, call_name), error))
    else:
        bench.events.working(_label(tool, bench.locale))
        ran = perform(bench, tool, checked, _record(bench, tool.name, arguments, call_name))
    return replace(ran, arguments=json.dumps(arguments, ensure_ascii=False))


def perform(bench: Bench, tool: Tool, arguments: dict[str, Any], call: ToolCall) -> Ran:
    """Run a tool whose row says `started`, where limits leave an action for it."""
    try:
        counted = not tool.for_person and _hold(bench, call)
    except quota.Exhausted as refused:
        return Ran(_limited(bench, tool, call, refused))
    try:
        return _run(bench, tool, arguments, call)
    finally:
        if counted:
            quota.settle(call.id)


def _hold(bench: Bench, call: ToolCall) -> bool:
    """Whether a limit counts it. The switch that stops spending stops no tool: none costs anything."""
    try:
        return quota.hold_action(
            call.id,
            bench.turn.id,
            bench.turn.conversation.customer,
            seconds=ACTION_SECONDS,
            binding=bench.binding,
            model_class=bench.model_class,
            model=bench.model,
        )
    except quota.SpendingStopped:
        return False


def _run(bench: Bench, tool: Tool, arguments: dict[str, Any], call: ToolCall) -> Ran:
    """Run it and store what came of it."""
    try:
        result = tool.run(bench.context(call.id), **arguments)
    except ToolError as error:
        return Ran(_failure(bench, call, error))
    except Exception as error:
        # A site's own code: its fault is recorded and told, and must not take the turn down.
        log.error("tool failed", tool=tool.name, error=type(error).__name__, at=place(error))  # noqa: TRY400
        return Ran(_failure(bench, call, ToolError("The tool failed; nothing is known. Offer a person.")))
    try:
        return _finish(bench, tool, call, result)
    except (TypeError, ValueError) as error:
        # A result that is no JSON: the site's own code again.
        log.error("tool result unfit", tool=tool.name, error=type(error).__name__, at=place(error))  # noqa: TRY400
        return Ran(_failure(bench, call, ToolError("The tool failed; nothing is known. Offer a person.")))


def carry_out(bench: Bench, call: ToolCall) -> Ran | None:
    """Do an approved change, once, while the turn is ours; None when it cannot be started any more."""
    started = ToolCall.objects.filter(
        id=call.id,
        state=ToolCall.State.APPROVED,
        carried_by__state=Turn.State.RUNNING,
        carried_by__attempt=bench.events.attempt,
    ).update(state=ToolCall.State.STARTED)
    if not started:
        return None
    bench.events.working(words.say("working.change", bench.locale))
    try:
        tool = _find(call.name)
        checked = _check(bench, tool, call.arguments)
    except ToolError as error:
        ran = Ran(_failure(bench, call, error))
    else:
        ran = perform(bench, tool, checked, call)
    call.refresh_from_db()
    state: events.ApprovalOutcome = "done" if call.state == ToolCall.State.DONE else "failed"
    events.approval_state(bench.turn.conversation_id, call.id, state)
    return ran


def _find(name: str) -> Tool:
    tool = registry.offered().get(name)
    if tool is None:
        raise ToolError(f"There is no tool called {name[:64]}.")
    return tool


def _parse(request: ToolRequest) -> dict[str, Any]:
    try:
        arguments = json.loads(request.arguments or "{}", parse_constant=_refuse)
        json.dumps(arguments, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ToolError("The arguments are not JSON. Ask again with a JSON object.") from None
    if "\\u0000" in json.dumps(arguments):
        raise ToolError("An argument holds a character that no text has. Ask again without it.")
    if not isinstance(arguments, dict):
        raise ToolError("The arguments must be a JSON object.")
    return arguments


def _refuse(constant: str) -> None:
    """NaN and Infinity, which Python reads and the database does not store."""
    raise ValueError(constant)


def _check(bench: Bench, tool: Tool, arguments: dict[str, Any]) -> dict[str, Any]:
    if tool.verified and bench.customer is None:
        raise ToolError("The customer is not signed in on the website. Ask them to sign in there first.")
    if bench.veil.unknown(arguments):
        raise ToolError("An argument holds a placeholder that stands for nothing. Ask the customer.")
    return tool.parse(bench.veil.unmask_json(arguments))


def _record(bench: Bench, name: str, arguments: dict[str, Any], call_name: str) -> ToolCall:
    call, _ = ToolCall.objects.update_or_create(
        turn=bench.turn,
        call=call_name,
        defaults={"name": name[:64], "arguments": arguments, "state": ToolCall.State.STARTED},
    )
    return call


def _propose(
    bench: Bench, tool: Tool, arguments: dict[str, Any], checked: dict[str, Any], call_name: str
) -> Asked:
    if tool.changes is None:
        raise ToolError(f"{tool.name} changes nothing.")
    call = ToolCall(turn=bench.turn, call=call_name, name=tool.name, arguments=arguments)
    try:
        proposal = tool.changes(bench.context(call.id), **checked)
    except ToolError:
        raise
    except Exception as error:
        # A site's own code, as in `perform`.
        log.error("tool failed", tool=tool.name, error=type(error).__name__, at=place(error))  # noqa: TRY400
        raise ToolError("The tool failed; nothing was changed. Offer a person.") from None
    call.title, *call.lines = bench.veil.mask([proposal.title[:TITLE_CHARACTERS], *proposal.lines])
    call.state = ToolCall.State.PROPOSED
    call.expires_at = timezone.now() + timedelta(minutes=APPROVAL_MINUTES)
    call.save(force_insert=True)
    return Asked(call)


def _finish(bench: Bench, tool: Tool, call: ToolCall, result: ToolResult) -> Ran:
    declared, values = registry.declared(result.data)
    bench.veil.know(values)
    data = result.data.model_dump(mode="json") if isinstance(result.data, BaseModel) else result.data
    card = {"kind": result.card.kind, "data": result.card.data} if result.card else None
    if len(json.dumps(data)) > RESULT_CHARACTERS:
        return Ran(_failure(bench, call, ToolError("The result is too long. Ask for less at once.")))
    masked: dict[str, Any] = {"data": data, "card": card}
    if not tool.public:
        masked = bench.veil.mask_json({"data": declared, "card": card})
    if masked["card"]:
        bench.shown.cards.append(masked["card"])
        bench.events.card(masked["card"]["kind"], masked["card"]["data"])
    for source in result.sources:
        if source not in bench.shown.sources:
            bench.shown.sources.append(events.Source(title=source["title"], url=source["url"]))
    with transaction.atomic():
        _close(call, ToolCall.State.DONE, masked["data"])
        veil.remember(bench.turn.conversation, bench.veil.take_found())
    return Ran(json.dumps(masked["data"], ensure_ascii=False), result.handover)


def _failure(bench: Bench, call: ToolCall, error: ToolError) -> str:
    result = {"error": bench.veil.mask([str(error)])[0]}
    _close(call, ToolCall.State.FAILED, result)
    return json.dumps(result, ensure_ascii=False)


def _limited(bench: Bench, tool: Tool, call: ToolCall, refused: quota.Exhausted) -> str:
    """Of an action that limits leave no room for: what the model is to do, and may tell of the limit."""
    limit = limit_told.sentence(limit_told.theirs(refused), bench.locale)
    result = {"error": NOT_DONE if tool.changes else NO_MORE, "limit": limit}
    _close(call, ToolCall.State.FAILED, result)
    return json.dumps(result, ensure_ascii=False)


def _close(call: ToolCall, state: ToolCall.State, result: dict[str, Any]) -> None:
    call.state, call.result, call.finished_at = state, result, timezone.now()
    call.save(update_fields=["state", "result", "finished_at"])


def _label(tool: Tool, locale: str) -> str:
    key = f"working.{tool.name}" if tool.name == "search_knowledge" else "working.tool"
    return words.say(key, locale)
