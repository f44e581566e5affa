"""Tools the model may ask for: plain typed functions, listed in the modules that FRONTDESK_TOOLS names."""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from secrets import token_hex
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    create_model,
)
from pydantic_core import CoreSchema, core_schema

from bot.events import HandoverReason
from bot.llm.base import ToolSpec
from bot.privacy.known import Known

BUILT_IN = ("bot.tools.knowledge", "bot.tools.people")

_PLACES = "frontdesk_places"


class ToolError(Exception):
    """A refusal in a sentence that the model can use; the only error a tool raises on purpose."""


@dataclass(frozen=True)
class Private:
    """Marks a field of a tool's result that never reaches the model: `Annotated[str, Private("PERSON")]`."""

    kind: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Serialise as usual, but for `declared`, which learns each place from pydantic itself."""
        return core_schema.no_info_after_validator_function(
            _same,
            handler(source),
            serialization=core_schema.wrap_serializer_function_ser_schema(self._place, info_arg=True),
            metadata={_PLACES: self.kind},
        )

    def _place(self, value: Any, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> Any:
        places = (info.context or {}).get(_PLACES)
        return handler(value) if places is None else places.mark(self.kind, value, handler(value))


def _same(value: Any) -> Any:
    return value


class _Places:
    """Where private values stand in a result: marks that no other text holds, until it is plain JSON."""

    def __init__(self) -> None:
        self._nonce = token_hex(16)
        self._values: dict[str, Known] = {}

    def mark(self, kind: str, value: Any, plain: Any) -> Any:
        """Put a mark for each value in `plain`; names of a model's fields stay, keys of a mapping do not."""
        if isinstance(plain, dict):
            if isinstance(value, Mapping):
                inner = zip(value.values(), plain.items(), strict=True)
                return {self._one(kind, key): self.mark(kind, was, item) for was, (key, item) in inner}
            return {key: self.mark(kind, getattr(value, key, None), item) for key, item in plain.items()}
        if isinstance(plain, list | tuple):
            parts = value if isinstance(value, list | tuple) else [None] * len(plain)
            return [self.mark(kind, was, item) for was, item in zip(parts, plain, strict=True)]
        return self._one(kind, plain)

    def _one(self, kind: str, plain: Any) -> Any:
        if plain is None or plain == "" or (isinstance(plain, str) and plain in self._values):
            return plain
        mark = f"{self._nonce}.{len(self._values)}"
        self._values[mark] = Known(kind, plain if isinstance(plain, str) else json.dumps(plain))
        return mark

    def filled(self, value: Any) -> Any:
        """The JSON value with a Known for each mark."""
        if isinstance(value, dict):
            return {self.filled(key): self.filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        return self._values.get(value, value) if isinstance(value, str) else value

    def known(self) -> list[Known]:
        return list(self._values.values())


def declared(data: BaseModel | dict[str, Any]) -> tuple[Any, list[Known]]:
    """A result as JSON with a Known where a field is declared private, of whatever type; and these values."""
    if not isinstance(data, BaseModel):
        return data, []
    if not _places_known(type(data)):
        raise TypeError(f"{type(data).__name__}: a private field has a serializer of its own")
    places = _Places()
    value = places.filled(data.model_dump(mode="json", context={_PLACES: places}))
    return value, places.known()


@cache
def _places_known(model: type[BaseModel]) -> bool:
    schema = model.__pydantic_core_schema__
    return _PLACES not in repr(schema) or not _overruled(schema)


def _overruled(schema: Any, above: bool = False) -> bool:
    """Whether a serializer of the site's replaces a private field's, or writes what is around it."""
    if isinstance(schema, list | tuple):
        return any(_overruled(item, above) for item in schema)
    if not isinstance(schema, dict):
        return False
    how = schema.get("serialization", {})
    if _PLACES in schema.get("metadata", {}):
        return above or not isinstance(getattr(how.get("function"), "__self__", None), Private)
    above = above or how.get("type") == "function-plain"
    if above and schema.get("type") == "definition-ref":
        return True
    # A node's default and metadata are the site's own values; a model's fields may have these names.
    skipped = ("default", "metadata") if isinstance(schema.get("type"), str) else ()
    return any(_overruled(item, above) for name, item in schema.items() if name not in skipped)


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

    The result of a `public` one is what the site publishes: nothing in it is anybody's secret. One that is
    `for_person` asks for a person: no limit of actions counts it.
    """

    name: str
    description: str
    run: Callable[..., ToolResult]
    arguments: type[BaseModel]
    verified: bool = False
    changes: Callable[..., Proposal] | None = None
    public: bool = False
    for_person: bool = False
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
    for_person: bool = False,
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
        return Tool(name, description, function, arguments, verified, changes, public, for_person)

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
