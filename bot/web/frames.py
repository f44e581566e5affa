"""What a browser may send: closed types, one for each frame of the chat socket."""

import json
from typing import Annotated, Literal
from uuid import UUID

from pydantic import UUID4, AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

REF_CHARACTERS = 64
EMAIL_CHARACTERS = 320
MOST_EVENTS = 1_000_000_000  # in a turn; Redis takes no number above 64 bits


class BadFrame(Exception):
    """A frame that is not JSON, unknown, or has fields of the wrong type; `ref` where one could be read."""

    def __init__(self, reason: str, ref: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ref = ref


def sound(text: str) -> str:
    """Half a surrogate pair, which JSON lets through, can be neither stored nor sent back."""
    text.encode()
    return text


class Incoming(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    ref: Annotated[str, AfterValidator(sound), Field(max_length=REF_CHARACTERS)] | None = None


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
    comment: Annotated[str, AfterValidator(sound)] = ""


class Human(Incoming):
    type: Literal["human"]
    cancel: bool = False


class Resume(Incoming):
    type: Literal["resume"]
    turn: Id
    after: Annotated[int, Field(ge=0, le=MOST_EVENTS)]


class LookBack(Incoming):
    type: Literal["history"]
    before: Id


class Contact(Incoming):
    type: Literal["contact"]
    email: Annotated[str, AfterValidator(sound), Field(max_length=EMAIL_CHARACTERS)]


class New(Incoming):
    type: Literal["new"]


class Ping(Incoming):
    type: Literal["ping"]


Frame = Hello | Post | Stop | Approve | Rate | Human | Resume | LookBack | Contact | New | Ping
_ADAPTER: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])


def parse(text: str) -> Frame:
    """A frame as its type; raises BadFrame."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise BadFrame("not JSON") from None
    try:
        return _ADAPTER.validate_python(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadFrame(_printable(f"{place}: {first['msg']}"), _ref(raw)) from None


def _ref(raw: object) -> str | None:
    """What a frame that cannot be read wants to be answered by, if that can be sent back."""
    ref = raw.get("ref") if isinstance(raw, dict) else None
    return ref if isinstance(ref, str) and len(ref) <= REF_CHARACTERS and ref == _printable(ref) else None


def _printable(text: str) -> str:
    return text.encode(errors="replace").decode()
