"""Counting tokens without asking the provider: for holds, and for usage nobody reported."""

import importlib.util
import json
import math
import re
from collections.abc import Iterable
from functools import cache
from importlib.machinery import PathFinder
from typing import Any, Protocol

from bot.llm.base import Message, Request, ToolSpec, Usage

# What the chat format adds around each message, and before the reply, on OpenAI's models.
PER_MESSAGE = 4
PER_REPLY = 3
PER_TOOL = 8
# The same at most, where nobody knows: templates write up to a dozen marks around a message, and some
# providers put instructions of their own before tools; Anthropic documents up to 530 tokens of them.
MOST_PER_MESSAGE = 16
MOST_BEFORE_TOOLS = 600
# Tokens a second that a model may think while it shows nothing. Measured of OpenAI's, which hide what they
# think, are 97 to 135 for o3 and 166 to 191 for o4-mini: rather charge a stopped call a little too much.
THOUGHTS_PER_SECOND = 200

# Of models whose encoding nobody knows.
LIKELY = "o200k_base"
# Models whose encoding is at hand; whoever serves them may put a name of their own before it.
_KNOWN = (
    ("o200k_base", re.compile(r"(gpt-(4o|4\.1|4\.5|5)|chatgpt-4o|o[134](-|$))")),
    ("cl100k_base", re.compile(r"gpt-(4|3\.5|35)(-|$)")),
)


class Encoding(Protocol):
    def count(self, text: str) -> int: ...


def tokens(text: str, model: str = "") -> int:
    """Tokens of a text; models of unknown encoding count as o200k, which is the best guess and no bound."""
    sound = text.encode("utf-8", "replace").decode()
    return _encoding(_encoding_name(model) or LIKELY).count(sound)


def most(text: str, model: str) -> int:
    """No fewer tokens than the model counts.

    Where the encoding is unknown that is the bytes, about four times the tokens of English: a token of every
    encoding stands for a byte at least, and for no more than one where somebody wants it so, as with digits.
    """
    return tokens(text, model) if _encoding_name(model) else size(text)


def size(text: str) -> int:
    """Bytes of a text."""
    return len(text.encode("utf-8", "replace"))


def input_tokens(request: Request) -> int:
    """Tokens the request costs before the model says a word."""
    return Tally().input_tokens(request)


def estimate(request: Request, produced: str, seconds: float = 0) -> Usage:
    """Usage of a call that reported none, from what it sent, what came back and how long it took."""
    output = tokens(produced, request.model) if produced else 0
    return Usage(input_tokens(request), 0, max(output, _thought(request, seconds)), 0, exact=False)


def _thought(request: Request, seconds: float) -> int:
    """What a model may have thought unseen; no more than its longest answer, for thoughts are part of it."""
    if not request.thinks:
        return 0
    thought = math.ceil(seconds * THOUGHTS_PER_SECOND)
    longest = request.settings.max_tokens
    return thought if longest is None else min(thought, longest)


class Tally:
    """Counts the texts of one turn, each once: what is asked in a second round begins like the first."""

    def __init__(self) -> None:
        self._counted: dict[tuple[str, str], int] = {}
        self._tools: dict[tuple[str, ...], str] = {}

    def input_tokens(self, request: Request) -> int:
        """Tokens of the request as the model counts them, or by the best guess."""
        frame = PER_MESSAGE * len(request.messages) + PER_TOOL * len(request.tools) + PER_REPLY
        return sum(self.tokens(text, request.model) for text in self._texts(request)) + frame

    def most_input_tokens(self, request: Request) -> int:
        """No fewer tokens than the model counts for the request."""
        return self.input_tokens(request) if _encoding_name(request.model) else self.by_bytes(request)

    def by_bytes(self, request: Request) -> int:
        """No fewer tokens than any model counts for the request; costs next to nothing."""
        frame = MOST_PER_MESSAGE * (len(request.messages) + 1) + MOST_BEFORE_TOOLS * bool(request.tools)
        return sum(map(size, self._texts(request))) + frame

    def tokens(self, text: str, model: str = "") -> int:
        key = (_encoding_name(model) or LIKELY, text)
        if key not in self._counted:
            self._counted[key] = tokens(text, model)
        return self._counted[key]

    def most(self, text: str, models: Iterable[str]) -> int:
        """No fewer tokens of a text than any of the models counts."""
        return max(self.tokens(text, one) if _encoding_name(one) else most(text, one) for one in models)

    def tools(self, tools: tuple[ToolSpec, ...]) -> str:
        """What is sent of the tools, in one text."""
        names = tuple(tool.name for tool in tools)
        if names not in self._tools:
            self._tools[names] = "\n".join(map(_tool_text, tools))
        return self._tools[names]

    def _texts(self, request: Request) -> Iterable[str]:
        yield self.tools(request.tools)
        yield from map(message_text, request.messages)


def message_text(message: Message) -> str:
    """All of a message that is counted."""
    parts = [message["content"] or ""]
    for call in message.get("tool_calls", ()):  # type: ignore[attr-defined]
        parts += [call["function"]["name"], call["function"]["arguments"]]
    return "\n".join(parts)


def _tool_text(tool: ToolSpec) -> str:
    return f"{tool.name}\n{tool.description}\n{json.dumps(tool.parameters)}"


@cache
def _encoding_name(model: str) -> str:
    """Empty where it is unknown."""
    name = model.lower().rpartition("/")[2].removeprefix("ft:")
    return next((encoding for encoding, known in _KNOWN if known.match(name)), "")


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
