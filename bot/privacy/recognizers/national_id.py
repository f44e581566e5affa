"""Numbers that states give people: told by shape and checksum, or by the words before them."""

import re
from collections.abc import Iterator
from typing import Any

from presidio_analyzer import RecognizerResult
from stdnum.cn import ric

from .context import meaning
from .kind import KindRecognizer
from .national_shapes import SHAPES

# All shapes have six digits and more close together, and not many letters beside them.
_DENSE = re.compile(r"\d(?:[^\d]{0,3}\d){5,}")
BESIDE = 12
_ENOUGH_DIGITS = re.compile(r"(?:\d\W{0,3}[A-Za-z]?\W?){5}")
# Up to two letters, digits in groups, up to two letters: whatever words call a passport is one.
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_@])(?:[A-Za-z]{1,3}-?|[A-Z]{1,2} )?\d[A-Za-z0-9]*"
    r"(?:(?:[ .\-–/]|\s{1,2})\d[A-Za-z0-9]*|[ -][A-Za-z]\d*(?![A-Za-z]))*"
    r"(?![A-Za-z0-9_@])"
)
_LETTERS_FIRST = re.compile(r"(?<![A-Za-z0-9_@])(?=[A-Za-z]*\d)[A-Za-z0-9]{6,20}(?![A-Za-z0-9_@])")
LEAST, MOST = 5, 20
CHINESE = 18


class NationalIdRecognizer(KindRecognizer):
    """A shape with a checksum stands for itself unless it is called an order; a word makes up for both."""

    kind = "NATIONAL_ID"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        if not _ENOUGH_DIGITS.search(text):
            return []
        return [
            RecognizerResult(self.kind, start, end, score)
            for start, end, score in (*_shaped(text), *_named(text))
        ]


def _shaped(text: str) -> Iterator[tuple[int, int, float]]:
    for near in _DENSE.finditer(text):
        for shape in SHAPES:
            for match in shape.pattern.finditer(text, max(0, near.start() - BESIDE), near.end() + BESIDE):
                called = meaning(text, *match.span())
                if shape.good(match[0]) and (called not in ("id", "phone") or _certain(match[0])):
                    yield *match.span(), shape.score


def _certain(number: str) -> bool:
    """A Chinese number with place, date and check character is one, whatever words stand before it."""
    if len(number) != CHINESE or not number[:-1].isdecimal():
        return False
    return ric.calc_check_digit(number) == number[-1].upper()


def _named(text: str) -> Iterator[tuple[int, int, float]]:
    """Yield numbers of any shape that words call one, of whatever country, mistyped ones too."""
    for pattern in (_NUMBER, _LETTERS_FIRST):
        for match in pattern.finditer(text):
            start, end = match.span()
            written = sum(char.isalnum() for char in text[start:end])
            counted = sum(char.isdigit() for char in text[start:end])
            if counted >= LEAST and written <= MOST and meaning(text, start, end) == "national":
                yield start, end, 0.85
