"""Counting tokens without asking the provider: for holds, and for usage nobody reported."""

import importlib.util
import json
from functools import cache
from importlib.machinery import PathFinder
from typing import Any, Protocol

from bot.llm.base import Message, Request, ToolSpec, Usage

# What the chat format adds around each message, and before the reply, on OpenAI's models.
PER_MESSAGE = 4
PER_REPLY = 3
PER_TOOL = 8


class Encoding(Protocol):
    def count(self, text: str) -> int: ...


def tokens(text: str, model: str = "") -> int:
    """Tokens of a text; models of unknown encoding count as o200k."""
    sound = text.encode("utf-8", "replace").decode()
    return _encoding(_encoding_name(model)).count(sound)


def input_tokens(request: Request) -> int:
    """Tokens the request costs before the model says a word."""
    parts = [_message_text(message) for message in request.messages]
    parts += [_tool_text(tool) for tool in request.tools]
    frame = PER_MESSAGE * len(request.messages) + PER_TOOL * len(request.tools) + PER_REPLY
    return tokens("\n".join(parts), request.model) + frame


def roughly(request: Request) -> int:
    """Input tokens by the length of what is sent: cheaper, for what is counted again when it is over."""
    texts = [_message_text(message) for message in request.messages]
    texts += [f"{tool.name}{tool.description}{tool.parameters}" for tool in request.tools]
    # A token is about four Latin letters, or a little more than one Chinese character of three bytes.
    return sum(len(text.encode("utf-8", "replace")) for text in texts) // 4 + PER_REPLY


def estimate(request: Request, produced: str) -> Usage:
    """Usage of a call that reported none, from what it sent and what came back."""
    output = tokens(produced, request.model) if produced else 0
    return Usage(input_tokens(request), 0, output, 0, exact=False)


def _message_text(message: Message) -> str:
    parts = [message["content"] or ""]
    for call in message.get("tool_calls", ()):  # type: ignore[attr-defined]
        parts += [call["function"]["name"], call["function"]["arguments"]]
    return "\n".join(parts)


def _tool_text(tool: ToolSpec) -> str:
    return f"{tool.name}\n{tool.description}\n{json.dumps(tool.parameters)}"


def _encoding_name(model: str) -> str:
    old = model.startswith(("gpt-4", "gpt-3.5", "gpt-35")) and not model.startswith(("gpt-4o", "gpt-4.1"))
    return "cl100k_base" if old else "o200k_base"


@cache
def _encoding(name: str) -> Encoding:
    encoding: Encoding = _bindings().tokenizer_for_encoding(name)
    return encoding


@cache
def _bindings() -> Any:
    # The package's own import builds tables of every encoding, 1.2 s and 69 MB; its extension is enough.
    package = importlib.util.find_spec("bpe_openai")
    spec = package and PathFinder.find_spec("_bindings", package.submodule_search_locations)
    if not spec or not spec.loader:
        raise ImportError("bpe-openai is installed without its extension")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
