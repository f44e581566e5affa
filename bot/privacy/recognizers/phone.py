"""Phone numbers of the regions served, told from order numbers, item ids and dates."""

import re
from collections.abc import Iterator
from typing import Any

import phonenumbers
from presidio_analyzer import LocalRecognizer, RecognizerResult

from .context import meaning

# Regions whose numbers start with 0 at home; American and Chinese mobile numbers are told by their shape.
TRUNK_REGIONS = ("CN", "GB", "DE", "FR")

_CANDIDATE = re.compile(
    r"(?<![A-Za-z0-9_#@.$€£¥])(?<![A-Za-z]-)\+?\(?\d(?:[ ().\-/]{0,3}\d){6,20}(?![A-Za-z0-9_@%]|[.,]\d)"
)
_DATE = re.compile(r"(?<!\d)(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d{2})(?!\d)")
_AMERICAN = re.compile(r"(?:1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]?\d{4}")
_CHINESE_MOBILE = re.compile(r"(?:(?:00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}")
_GROUP = re.compile(r"[^ ]+")
MOST_GROUPS = 6


class PhoneRecognizer(LocalRecognizer):
    """Looks only at runs of digits, so that a text without them costs next to nothing."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["PHONE"])

    def load(self) -> None:
        pass

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        return [
            RecognizerResult("PHONE", start, end, 0.8)
            for match in _CANDIDATE.finditer(text)
            for start, end in _phones_in(text, match.start(), match.end())
        ]


def _phones_in(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the phone numbers in a run of digits, the longest first: other numbers may stand beside them."""
    groups = [(match.start(), match.end()) for match in _GROUP.finditer(text, start, end)]
    first = 0
    while first < len(groups):
        begin = groups[first][0]
        called = meaning(text, begin, end)
        for last in range(min(first + MOST_GROUPS, len(groups)) - 1, first - 1, -1):
            if _is_phone(text[begin : groups[last][1]], called):
                yield begin, groups[last][1]
                first = last
                break
        first += 1


def _is_phone(number: str, called: str | None) -> bool:
    count = sum(char.isdigit() for char in number)
    if not 7 <= count <= 15 or _DATE.search(number):
        return False
    if number.startswith(("+", "(+")):
        return _possible(number)
    if called in ("id", "card"):
        return False
    if called == "phone" or _CHINESE_MOBILE.fullmatch(number) or _AMERICAN.fullmatch(number):
        return True
    return number.lstrip("(").startswith("0") and any(_valid(number, region) for region in TRUNK_REGIONS)


def _possible(number: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def _valid(number: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
