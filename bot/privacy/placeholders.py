"""What a placeholder looks like, which kinds there are, and what two spellings of one value share."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from .rules import Rules

# PRIVATE comes only from known values, such as private fields of tool results; the others are detected too.
KINDS = (
    "EMAIL",
    "PHONE",
    "CARD",
    "BANK",
    "NATIONAL_ID",
    "IP",
    "PERSON",
    "ADDRESS",
    "BIRTHDATE",
    "SECRET",
    "PRIVATE",
)

# Bounded, so that a streamed text never has to be held back for longer than this.
PLACEHOLDER = re.compile(r"<([A-Z][A-Z_]{0,23})_([0-9]{1,6})>")


class Span(NamedTuple):
    """A private value found in a text: its place in characters and its kind."""

    start: int
    end: int
    kind: str


class Detector(Protocol):
    """Whatever finds private values: the engine, or a double of it."""

    def detect(self, texts: Sequence[str], language: str, rules: Rules) -> list[list[Span]]: ...


class Placeholders(Protocol):
    """Whatever gives values their placeholders and knows them back: a vault."""

    def placeholder(self, kind: str, value: str) -> str: ...

    def placeholders(self, pairs: Sequence[tuple[str, str]]) -> list[str]: ...

    def values(self) -> dict[str, str]: ...

    def names(self) -> set[str]: ...


def write(kind: str, number: int) -> str:
    return f"<{kind}_{number}>"


def normalise(kind: str, value: str) -> str:
    """Bring the spellings of one value together: they share a placeholder."""
    if kind == "SECRET":
        # Another password in small letters is another password.
        return value.strip()
    plain = unicodedata.normalize("NFKC", value).casefold()
    if kind in ("PHONE", "CARD"):
        return "".join(char for char in plain if char.isdecimal())
    if kind in ("BANK", "NATIONAL_ID"):
        return "".join(char for char in plain if char.isalnum())
    if kind == "BIRTHDATE":
        return " ".join(re.findall(r"\w+", plain))
    return " ".join(plain.split())
