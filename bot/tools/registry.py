"""Tools the model may ask for: plain typed functions, listed in the modules that FRONTDESK_TOOLS names."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from bot.events import HandoverReason
from bot.llm.base import ToolSpec

BUILT_IN = ("bot.tools.knowledge", "bot.tools.people")


class ToolError(Exception):
    """A refusal in a sentence that the model can use; the only error a tool raises on purpose."""


@dataclass(frozen=True)
class Private:
    """Marks a field of a tool's result that never reaches the model: `Annotated[str, Private("PERSON")]`."""

    kind: str


@dataclass(frozen=True)
class Card:
    """Something to look at: an order, products, an appointment."""

    kind: str
    data: dict[str, Any]


@dataclass(frozen=True)
class ToolResult:
    """What a tool found or did: `data` for the model, `card` and `sources` for the customer."""

    data: BaseModel | dict[str, Any]
    card: Card | None = None
    sources: tuple[dict[str, str], ...] = ()
    handover: HandoverReason | None = None


@dataclass(frozen=True)
class Proposal:
    """What the customer is asked to approve, in their language."""

    title: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToolContext:
    """For whom a tool works: always from the session, never from the model."""

    site: str
    customer: str | None
    locale: str
    key: str


@dataclass(frozen=True)
class Tool:
    """A function the model may ask for. One that `changes` something proposes first and needs a yes.

    The result of a `public` one is what the site publishes: nothing in it is anybody's secret.
    """

    name: str
    description: str
    run: Callable[..., ToolResult]
    arguments: type[BaseModel]
    verified: bool = False
    changes: Callable[..., Proposal] | None = None
    public: bool = False
    spec: ToolSpec = field(init=False)

    def __post_init__(self) -> None:
        schema = self.arguments.model_json_schema()
        schema.pop("title", None)
        object.__setattr__(self, "spec", ToolSpec(self.name, self.description, schema))

    def parse(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments, checked against the function's types; a ToolError names what is wrong."""
        try:
            checked = self.arguments.model_validate(arguments)
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ToolError(f"Wrong arguments for {self.name}: {problems}.") from None
        return {name: getattr(checked, name) for name in type(checked).model_fields}


def tool(
    *,
    verified: bool = False,
    changes: Callable[..., Proposal] | None = None,
    public: bool = False,
) -> Callable[[Callable[..., ToolResult]], Tool]:
    """Make a tool of `(context, **arguments) -> ToolResult`; name, docstring and hints are its schema."""

    def make(function: Callable[..., ToolResult]) -> Tool:
        name = function.__name__
        description = inspect.getdoc(function)
        if not description:
            raise ImproperlyConfigured(
                f"The tool {name} needs a docstring: it tells the model when to use it."
            )
        hints = get_type_hints(function, include_extras=True)
        fields: dict[str, Any] = {
            parameter.name: (
                _described(hints[parameter.name]),
                ... if parameter.default is inspect.Parameter.empty else parameter.default,
            )
            for parameter in list(inspect.signature(function).parameters.values())[1:]
        }
        arguments = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        return Tool(name, description, function, arguments, verified, changes, public)

    return make


def _described(hint: Any) -> Any:
    """`Annotated[str, "the order number"]` with the text as the field's description."""
    if get_origin(hint) is not Annotated:
        return hint
    kind, *notes = get_args(hint)
    described = [Field(description=note) if isinstance(note, str) else note for note in notes]
    return Annotated[kind, *described]


@cache
def offered() -> dict[str, Tool]:
    """Every tool by name, built-in ones first."""
    tools: dict[str, Tool] = {}
    for path in (*BUILT_IN, *settings.FRONTDESK_TOOLS):
        for one in getattr(import_module(path), "TOOLS", []):
            if one.name in tools:
                raise ImproperlyConfigured(f"FRONTDESK_TOOLS: two tools are called {one.name}.")
            tools[one.name] = one
    return tools
