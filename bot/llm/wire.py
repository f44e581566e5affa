"""A request as chat completions want it, for servers that differ in what they understand."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from bot.llm.base import Message, Request, ToolSpec, UserMessage


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider understands; the defaults are OpenAI's."""

    usage_in_stream: bool = True
    tools: bool = True
    system_role: bool = True
    max_tokens_name: Literal["max_tokens", "max_completion_tokens"] = "max_completion_tokens"


def body(request: Request, capabilities: Capabilities) -> dict[str, Any]:
    """The JSON body of the call."""
    messages = request.messages if capabilities.system_role else _without_system(request.messages)
    made: dict[str, Any] = {"model": request.model, "messages": list(messages), "stream": True}
    if capabilities.usage_in_stream:
        made["stream_options"] = {"include_usage": True}
    if capabilities.tools and request.tools:
        made["tools"] = [_tool(tool) for tool in request.tools]
    if request.settings.max_tokens is not None:
        made[capabilities.max_tokens_name] = request.settings.max_tokens
    for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty"):
        if (value := getattr(request.settings, name)) is not None:
            made[name] = value
    return made


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _without_system(messages: Iterable[Message]) -> Iterable[Message]:
    """System messages put before the next customer message: some chat templates know only two roles."""
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "system":
            waiting.append(message["content"])
        elif message["role"] == "user" and waiting:
            yield _user([*waiting, message["content"]])
            waiting = []
        else:
            yield message
    if waiting:
        yield _user(waiting)


def _user(parts: list[str]) -> UserMessage:
    return {"role": "user", "content": "\n\n".join(parts)}
