"""Putting one streamed answer together from its events."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bot.llm import reported
from bot.llm.base import FinishReason, ToolRequest

FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
}


@dataclass(slots=True)
class _Call:
    index: int | None
    id: str
    name: str = ""
    arguments: str = ""


class Answer:
    """What has come so far: feed it events, then take the tool requests, reported usage, finish reason."""

    def __init__(self) -> None:
        self.begun = False
        self.thinks_aloud = False
        self.reported: reported.Reported | None = None
        self._finish: str | None = None
        self._calls: list[_Call] = []
        self._produced: list[str] = []
        self._half = ""

    @property
    def produced(self) -> str:
        """Everything the model wrote, thoughts and arguments too: what an estimate has to charge."""
        written = "".join(self._produced)
        return written + "".join(call.name + call.arguments for call in self._calls)

    @property
    def thinks_unseen(self) -> bool:
        """Whether the provider has counted thoughts and shown none of them."""
        return self.reported is not None and self.reported.reasoning > 0 and not self.thinks_aloud

    @property
    def finish(self) -> FinishReason | None:
        """Why the answer ended; None as long as it has not."""
        if self._finish is None:
            return None
        reason = FINISH_REASONS.get(self._finish.lower(), "stop")
        return "tool_calls" if self._calls and reason == "stop" else reason

    def feed(self, event: Mapping[str, Any]) -> str:
        """Take in one event and return the text it adds to the reply."""
        if told := event.get("usage"):
            self.reported = reported.read(told) or self.reported
        choice = next((c for c in _list(event.get("choices")) if _dict(c).get("index", 0) == 0), None)
        # Some servers repeat their last events; what comes after the end is not the answer.
        if choice is None or self._finish is not None:
            return ""
        delta = _dict(choice.get("delta"))
        text = self._sound(_text(delta.get("content")))
        thought = _text(delta.get("reasoning_content") or delta.get("reasoning"))
        calls = _list(delta.get("tool_calls"))
        for call in calls:
            self._add_call(_dict(call))
        self.thinks_aloud = self.thinks_aloud or bool(thought)
        self._produced += (text, thought)
        self._finish = choice.get("finish_reason") or None
        self.begun = self.begun or bool(text or thought or calls or self._finish)
        return text

    def tool_requests(self) -> Iterator[ToolRequest]:
        for call in self._calls:
            yield ToolRequest(call.id, call.name, call.arguments or "{}")

    def _add_call(self, piece: dict[str, Any]) -> None:
        function = _dict(piece.get("function"))
        name, arguments = function.get("name") or "", function.get("arguments") or ""
        call = self._call_of(piece, name)
        call.name = call.name or name
        # A few servers send the arguments as an object, whole.
        call.arguments += arguments if isinstance(arguments, str) else json.dumps(arguments)

    def _call_of(self, piece: dict[str, Any], name: str) -> _Call:
        index, given = piece.get("index"), piece.get("id") or ""
        open_call = next((c for c in reversed(self._calls) if index is None or c.index == index), None)
        # Some servers number every call 0, or not at all: another id with a name of its own is another call.
        if open_call and not (name and given and given != open_call.id):
            return open_call
        call = _Call(index, given or f"call_{uuid4().hex}")
        self._calls.append(call)
        return call

    def _sound(self, text: str) -> str:
        """Text that can be stored and sent: surrogate pairs cut in half are joined, NUL is dropped."""
        if not self._half and text.isascii():
            return text.replace("\0", "")
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """Content as a string, or as a list of parts as some servers send it."""
    if isinstance(value, str):
        return value
    return "".join(str(_dict(part).get("text") or "") for part in _list(value))
