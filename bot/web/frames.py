"""What a browser may send: closed types, one for each frame of the chat socket."""

import json
from typing import Annotated, Literal
from uuid import UUID

from pydantic import UUID4, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError


class BadFrame(Exception):
    """A frame that is not JSON, unknown, or has fields of the wrong type; `ref` where one could be read."""

    def __init__(self, reason: str, ref: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ref = ref


class Incoming(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    ref: Annotated[str, Field(max_length=64)] | None = None


Id = Annotated[UUID, Field(strict=False)]
Token = Annotated[str, Field(max_length=8192)]


class Hello(Incoming):
    type: Literal["hello"]
    token: Token | None = None
    identity: Token | None = None
    locale: Annotated[str, Field(max_length=35)] | None = None


class Post(Incoming):
    type: Literal["message"]
    id: Annotated[UUID4, Field(strict=False)]
    text: str


class Stop(Incoming):
    type: Literal["stop"]
    turn: Id


class Approve(Incoming):
    type: Literal["approve"]
    call: Id
    approved: bool


class Rate(Incoming):
    type: Literal["rate"]
    message: Id
    score: int
    comment: str = ""


class Human(Incoming):
    type: Literal["human"]
    cancel: bool = False


class Resume(Incoming):
    type: Literal["resume"]
    turn: Id
    after: Annotated[int, Field(ge=0)]


class LookBack(Incoming):
    type: Literal["history"]
    before: Id


class New(Incoming):
    type: Literal["new"]


class Ping(Incoming):
    type: Literal["ping"]


Frame = Hello | Post | Stop | Approve | Rate | Human | Resume | LookBack | New | Ping
_ADAPTER: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])


def parse(text: str) -> Frame:
    """A frame as its type; raises BadFrame."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise BadFrame("not JSON") from None
    ref = raw.get("ref") if isinstance(raw, dict) else None
    try:
        return _ADAPTER.validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadFrame(f"{place}: {first['msg']}", ref if isinstance(ref, str) else None) from None
