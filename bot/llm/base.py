"""What is asked of a model and what comes back; every provider, wrapper and double speaks it."""

import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, Protocol, TypeAlias, TypedDict


class SystemMessage(TypedDict):
    role: Literal["system"]
    content: str


class UserMessage(TypedDict):
    role: Literal["user"]
    content: str


class CalledFunction(TypedDict):
    name: str
    arguments: str


class CalledTool(TypedDict):
    id: str
    type: Literal["function"]
    function: CalledFunction


class AssistantMessage(TypedDict):
    role: Literal["assistant"]
    content: str | None
    tool_calls: NotRequired[list[CalledTool]]


class ToolMessage(TypedDict):
    role: Literal["tool"]
    tool_call_id: str
    content: str


Message: TypeAlias = SystemMessage | UserMessage | AssistantMessage | ToolMessage


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A function offered to the model; `parameters` is its JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds to connect, to the first piece, between two pieces, and for the whole answer."""

    connect: float = 3
    first_token: float = 8
    silence: float = 15
    whole: float = 90


@dataclass(frozen=True, slots=True)
class Settings:
    """How one model is to answer; what is None is not sent."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One question to one model, in the wire shape of chat completions.

    Setting `cancelled` ends the call with Stopped, wherever it is. `shorten` gives shorter messages for a
    model that finds these too long; it is asked once. `thinks`: the model may think without showing it.
    """

    model: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    settings: Settings = Settings()
    deadlines: Deadlines = Deadlines()
    cancelled: threading.Event | None = None
    shorten: Callable[[], tuple[Message, ...]] | None = None
    thinks: bool = False

    @property
    def is_cancelled(self) -> bool:
        return self.cancelled is not None and self.cancelled.is_set()


@dataclass(frozen=True, slots=True)
class Text:
    """Text to append to the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """A function the model asks for; `arguments` is its raw JSON text, whole but unchecked."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call; `cached_input` is part of `input` and `reasoning` part of `output`."""

    input: int
    cached_input: int
    output: int
    reasoning: int
    exact: bool


FinishReason: TypeAlias = Literal["stop", "tool_calls", "length", "content_filter"]


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of an answer; a stream without one was cut."""

    reason: FinishReason


@dataclass(frozen=True, slots=True)
class Restart:
    """Drop what this request has brought so far: another call of a model begins the answer anew."""


Piece: TypeAlias = Text | ToolRequest | Usage | Finish | Restart
Pieces: TypeAlias = Generator[Piece, None, None]


class Provider(Protocol):
    """Something that answers requests: an endpoint, or a wrapper that holds one."""

    def stream(self, request: Request) -> Pieces:
        """Yield texts and tool requests, then one Usage, then one Finish; or raise UpstreamError.

        A wrapper may begin anew, with a Restart first where text or a tool request has been yielded. Nothing
        is sent before the first piece is asked for. Closing the generator closes the upstream connection at
        once; throwing Stopped into it does so, too, and tells what the call has cost by the error's usage.
        """
        ...
