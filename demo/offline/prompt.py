"""What the stand-in model reads out of one chat completion request."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

CHINESE = re.compile(r"[\u3400-\u9fff]")
LETTERS = re.compile(r"[A-Za-z]{2,}")
ORDER_NUMBER = re.compile(r"(?<![A-Za-z])([A-Za-z]{2,4}-\d{4,8})(?!\d)")
BARE_NUMBER = re.compile(
    r"(?:order|number|订单号?)\s*(?:number|no\.?|是|为|：|:)?\s*#?\s*(\d{4,8})(?!\d)", re.IGNORECASE
)
PLACEHOLDER = re.compile(r"<[A-Z][A-Z_]*_[0-9]+>")


class BadRequest(ValueError):
    """The request is not a chat completion; the sentence says why."""


@dataclass(frozen=True)
class Told:
    """A tool's result as the prompt shows it."""

    tool: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Prompt:
    """The customer's newest message, what was said before it and what the tools have told since."""

    question: str
    earlier_questions: tuple[str, ...]
    last_answer: str
    told: tuple[Told, ...]
    offered: frozenset[str]
    language: str
    last_number: str | None

    def result_of(self, tool: str) -> dict[str, Any] | None:
        """The newest result of `tool` since the customer's last message."""
        return next((told.data for told in reversed(self.told) if told.tool == tool), None)

    def can_ask(self, tool: str) -> bool:
        return tool in self.offered and self.result_of(tool) is None


def read(body: dict[str, Any]) -> Prompt:
    """Read a request's messages and tools; the system prompt instructs real models and is left alone here."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise BadRequest("'messages' must be a list of messages")
    last_user = max((at for at, message in enumerate(messages) if message.get("role") == "user"), default=-1)
    first_user = last_user
    while first_user > 0 and messages[first_user - 1].get("role") == "user":
        first_user -= 1
    question = (
        "\n".join(text_of(message) for message in messages[first_user : last_user + 1])
        if last_user >= 0
        else ""
    )
    before = messages[: max(first_user, 0)]
    earlier = tuple(text_of(message) for message in before if message.get("role") == "user")
    answers = [
        text_of(message) for message in before if message.get("role") == "assistant" and text_of(message)
    ]
    return Prompt(
        question=question.strip(),
        earlier_questions=earlier,
        last_answer=answers[-1] if answers else "",
        told=_told(messages, since=last_user),
        offered=_offered(body),
        language=_language((question, *reversed(earlier))),
        last_number=_last_number(messages),
    )


def text_of(message: dict[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def order_number(text: str) -> str | None:
    """The last order number in `text`, as the shop writes it."""
    found = ORDER_NUMBER.findall(text) or BARE_NUMBER.findall(text)
    return found[-1].upper() if found else None


def _told(messages: list[dict[str, Any]], since: int) -> tuple[Told, ...]:
    names = _tool_names(messages)
    return tuple(
        Told(names.get(message.get("tool_call_id"), ""), _object(text_of(message)))
        for message in messages[since + 1 :]
        if message.get("role") == "tool"
    )


def _tool_names(messages: list[dict[str, Any]]) -> dict[str | None, str]:
    """The tools asked for, by the id of the call."""
    return {
        call.get("id"): (call.get("function") or {}).get("name", "")
        for message in messages
        for call in message.get("tool_calls") or ()
    }


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {"error": text}
    return value if isinstance(value, dict) else {"value": value}


def _offered(body: dict[str, Any]) -> frozenset[str]:
    if body.get("tool_choice") == "none":
        return frozenset()
    return frozenset((tool.get("function") or {}).get("name", "") for tool in body.get("tools") or ())


def _language(texts: tuple[str, ...]) -> str:
    """The language of the newest text that has one; order numbers and placeholders have none."""
    for text in texts:
        words = PLACEHOLDER.sub("", ORDER_NUMBER.sub("", text))
        if CHINESE.search(words):
            return "zh"
        if LETTERS.search(words):
            return "en"
    return "en"


def _last_number(messages: list[dict[str, Any]]) -> str | None:
    """The order last spoken of by customer or assistant, unless that message spoke of several.

    What the assistant read out of a help page is an example, nobody's order.
    """
    names = _tool_names(messages)
    for before, message in reversed(list(zip([{}, *messages], messages, strict=False))):
        if names.get(before.get("tool_call_id")) == "search_knowledge":
            continue
        if message.get("role") in {"user", "assistant"}:
            found = {number.upper() for number in ORDER_NUMBER.findall(text_of(message))}
            if found:
                return found.pop() if len(found) == 1 else None
    return None
