"""What the model is asked: the site's instructions, then as much of the conversation as the budget allows."""

import json
from collections.abc import Iterable
from functools import cache
from string import Template
from uuid import UUID

from django.conf import settings

from bot.llm import counting
from bot.llm.base import AssistantMessage, CalledTool, Message, SystemMessage, ToolMessage, UserMessage
from bot.models import Message as Said
from bot.models import ToolCall, Turn
from bot.steps.work import Work

# Old turns leave in blocks, so that the start of the prompt stays the same for several turns and providers
# can cache it.
BLOCK = 8
LOOKED_BACK = 200


def build(work: Work, budget: int) -> list[Message]:
    """The messages for a model that has `budget` tokens for its prompt; masked texts only."""
    system = SystemMessage(role="system", content=_instructions(work))
    turns = list(_turns(work))
    kept = _fitting(turns, budget - counting.tokens(system["content"]))
    return [system, *(message for turn in kept for message in turn)]


def _instructions(work: Work) -> str:
    site = work.conversation.site
    return _template().substitute(assistant=site.assistant, site=site.name).strip()


@cache
def _template() -> Template:
    return Template((settings.BASE_DIR / "templates/prompts/system.txt").read_text())


def _fitting(turns: list[list[Message]], budget: int) -> list[list[Message]]:
    """The newest turns within the budget; the present one is always there."""
    sizes = [
        sum(counting.tokens(json.dumps(message, ensure_ascii=False)) for message in turn) for turn in turns
    ]
    first = 0
    while first < len(turns) - 1 and sum(sizes[first:]) > budget:
        first = min(first + BLOCK, len(turns) - 1)
    return turns[first:]


def _turns(work: Work) -> Iterable[list[Message]]:
    """The conversation as the model saw it, a list of messages for each turn."""
    said = list(
        Said.objects.filter(conversation=work.conversation, masked__isnull=False)
        .exclude(author=Said.Author.SYSTEM)
        # It only said that the real answer is to come, which is this one.
        .exclude(author=Said.Author.BOT, turn=work.turn.answers_id)
        .order_by("-id")
        .only("author", "masked", "turn_id")[:LOOKED_BACK]
    )[::-1]
    calls = _calls(work)
    current: list[Message] = []
    for message in _in_order(said):
        if message.author == Said.Author.CUSTOMER and current and current[-1]["role"] == "assistant":
            yield current
            current = []
        if message.author == Said.Author.BOT and message.turn_id:
            for call in calls.pop(message.turn_id.hex, []):
                current += _stored(call)
        current.append(_message(message))
    for call in work.approved:
        current += _stored(call)
    yield current


def _in_order(said: list[Said]) -> list[Said]:
    """Turn by turn: what was said while an answer was written comes after that answer."""
    began: dict[UUID | None, int] = {}
    for message in said:
        began.setdefault(message.turn_id, message.pk)
    return sorted(
        said, key=lambda message: (began[message.turn_id] if message.turn_id else message.pk, message.pk)
    )


def _message(said: Said) -> Message:
    text = said.masked or ""
    if said.author == Said.Author.CUSTOMER:
        return UserMessage(role="user", content=text)
    return AssistantMessage(role="assistant", content=text)


def _calls(work: Work) -> dict[str, list[ToolCall]]:
    """Finished tool calls of earlier turns, by turn."""
    calls: dict[str, list[ToolCall]] = {}
    finished = (ToolCall.State.DONE, ToolCall.State.FAILED)
    rows = ToolCall.objects.filter(
        turn__conversation=work.conversation, turn__state=Turn.State.DONE, state__in=finished
    ).exclude(id__in=[call.id for call in work.approved])
    for call in rows.order_by("created_at"):
        calls.setdefault((call.carried_by_id or call.turn_id).hex, []).append(call)
    return calls


def _stored(call: ToolCall) -> list[Message]:
    arguments, result = (json.dumps(value, ensure_ascii=False) for value in (call.arguments, call.result))
    return exchange(str(call.id), call.name, arguments, result)


def exchange(call: str, name: str, arguments: str, result: str) -> list[Message]:
    """A tool call and its result, as the model reads them; both are JSON."""
    called: CalledTool = {
        "id": call,
        "type": "function",
        "function": {"name": name, "arguments": arguments or "{}"},
    }
    return [
        AssistantMessage(role="assistant", content=None, tool_calls=[called]),
        ToolMessage(role="tool", tool_call_id=call, content=result),
    ]
