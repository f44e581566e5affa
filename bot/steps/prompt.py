"""What the model is asked: the site's instructions, then as much of the conversation as the budget allows."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from string import Template
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection

from bot.llm import counting
from bot.llm.base import AssistantMessage, CalledTool, Message, SystemMessage, ToolMessage, UserMessage
from bot.llm.counting import Tally
from bot.models import ToolCall
from bot.steps.work import Work

# Old turns leave in blocks, so that the start of the prompt stays the same for several turns and providers
# can cache it.
BLOCK = 8
LOOKED_BACK = 200

# A promise only said that the real answer is to come, which is this one.
_SAID = """
SELECT id, author, masked, turn_id FROM bot_message
 WHERE conversation_id = %(conversation)s AND masked IS NOT NULL AND author <> 'system'
   AND NOT (author = 'bot' AND turn_id IS NOT DISTINCT FROM %(promise)s)
 ORDER BY id DESC LIMIT %(most)s
"""
# Finished tool calls of earlier turns.
_CALLS = """
SELECT coalesce(carried_by_id, turn_id), bot_toolcall.id::text, name, arguments::text, result::text
  FROM bot_toolcall JOIN bot_turn ON bot_turn.id = turn_id
 WHERE conversation_id = %(conversation)s AND bot_turn.state = 'done'
   AND bot_toolcall.state IN ('done', 'failed') AND bot_toolcall.id <> ALL(%(own)s)
 ORDER BY created_at
"""


class _Said(NamedTuple):
    id: int
    author: str
    masked: str
    turn: UUID | None


@dataclass(frozen=True)
class Space:
    """What a prompt has or may have: so many tokens as well as they can be counted, and so many at most."""

    tokens: int
    most: int

    def __sub__(self, other: "Space") -> "Space":
        return Space(self.tokens - other.tokens, self.most - other.most)

    def holds(self, parts: Iterable["Space"]) -> bool:
        parts = list(parts)
        tokens, most = sum(part.tokens for part in parts), sum(part.most for part in parts)
        return tokens <= self.tokens and most <= self.most


def size(texts: Sequence[str], tally: Tally, models: Sequence[str]) -> Space:
    """Of so many messages, whichever of the models reads them."""
    tokens = sum(max(tally.tokens(text, model) for model in models) for text in texts)
    most = sum(tally.most(text, models) for text in texts)
    return Space(tokens + counting.PER_MESSAGE * len(texts), most + counting.MOST_PER_MESSAGE * len(texts))


class Story:
    """The conversation as the model saw it, turn by turn; masked texts only."""

    def __init__(self, work: Work, models: Sequence[str]) -> None:
        self._system = SystemMessage(role="system", content=_instructions(work))
        self._turns = list(_turns(work))
        self._texts = [[*map(counting.message_text, turn)] for turn in self._turns]
        self._tally, self._models = work.tally, models

    def within(self, space: Space, beside: Sequence[str]) -> list[Message]:
        """Instructions, then the newest turns that fit with what is sent beside; the present one stays."""
        turns = self._turns[self._first(space, [self._system["content"], *beside]) :]
        return [self._system, *(message for turn in turns for message in turn)]

    def _first(self, space: Space, beside: Sequence[str]) -> int:
        everything = [*beside, *(text for texts in self._texts for text in texts)]
        # No token is less than a byte: what is short enough need not be counted.
        most = sum(map(counting.size, everything)) + counting.MOST_PER_MESSAGE * len(everything)
        if most <= min(space.tokens, space.most):
            return 0
        space -= size(beside, self._tally, self._models)
        sizes = [size(texts, self._tally, self._models) for texts in self._texts]
        first = 0
        while first < len(sizes) - 1 and not space.holds(sizes[first:]):
            first = min(first + BLOCK, len(sizes) - 1)
        return first


def _instructions(work: Work) -> str:
    site = work.conversation.site
    return _template().substitute(assistant=site.assistant, site=site.name).strip()


@cache
def _template() -> Template:
    return Template((settings.BASE_DIR / "templates/prompts/system.txt").read_text())


def _turns(work: Work) -> Iterable[list[Message]]:
    """The conversation as the model saw it, a list of messages for each turn."""
    said = _said(work)
    calls = _calls(work)
    current: list[Message] = []
    for message in _in_order(said):
        if message.author == "customer" and current and current[-1]["role"] == "assistant":
            yield current
            current = []
        if message.author == "bot" and message.turn:
            current += calls.pop(message.turn, [])
        current.append(_message(message))
    for call in work.approved:
        current += _stored(call)
    yield current


def _said(work: Work) -> list[_Said]:
    facts = {"conversation": work.conversation.id, "promise": work.turn.answers_id, "most": LOOKED_BACK}
    with connection.cursor() as cursor:
        cursor.execute(_SAID, facts)
        return [_Said(*row) for row in reversed(cursor.fetchall())]


def _in_order(said: list[_Said]) -> list[_Said]:
    """Turn by turn: what was said while an answer was written comes after that answer."""
    began: dict[UUID | None, int] = {}
    for message in said:
        began.setdefault(message.turn, message.id)
    return sorted(said, key=lambda message: (began[message.turn] if message.turn else message.id, message.id))


def _message(said: _Said) -> Message:
    if said.author == "customer":
        return UserMessage(role="user", content=said.masked)
    return AssistantMessage(role="assistant", content=said.masked)


def _calls(work: Work) -> dict[UUID, list[Message]]:
    """Finished tool calls and their results, by the turn that made them."""
    calls: dict[UUID, list[Message]] = {}
    own = [call.id for call in work.approved]
    with connection.cursor() as cursor:
        cursor.execute(_CALLS, {"conversation": work.conversation.id, "own": own})
        for turn, call, name, arguments, result in cursor.fetchall():
            calls.setdefault(turn, []).extend(exchange(call, name, arguments, result or "null"))
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
