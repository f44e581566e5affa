"""Phone numbers of the regions a site serves, told from order numbers, item ids and dates."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata
from presidio_analyzer import RecognizerResult

from .context import called_phone_after, meaning
from .kind import KindRecognizer
from .runs import Run, digits, parts, runs

LEAST, MOST = 6, 15
LONGEST_AT_HOME = 12
# Characters within which the bracket around an area closes.
AREA = 9

_DATE_OR_PRICE = re.compile(
    r"(?<![\d.-])(?:(?:19|20)\d{2}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:19|20)\d{2}|\d{1,6}[.,]\d{2})"
    r"(?![-.,]?\d)(?! ?\d)"
)
_GAP = r"(?:[ .-]{0,3}|[ .-]{0,3}\s[ .-]{0,3})"
_AMERICAN = re.compile(rf"(?:1[ .-]?)?(?:\(\d{{3}}\) ?-?|\d{{3}}(?:[ .-]|\s{{1,2}}))\d{{3}}{_GAP}\d{{4}}")
_AMERICAN_UNGROUPED = re.compile(r"1?[2-9]\d{2}[2-9]\d{6}")
_CHINESE_MOBILE = re.compile(
    rf"(?:\(?(?:00)?86\)?{_GAP})?1[3-9]\d(?:{_GAP}\d{{4}}{_GAP}\d{{4}}|{_GAP}\d{{3}}{_GAP}\d{{5}})"
)
_ABROAD = re.compile(r"(?:00|011)[ .-]?(?=[1-9])")
_BEFORE = re.compile(r"[+＋]?\(?[+＋]?\Z")
_EXTENSION = re.compile(
    r"(?:\s{0,2},?\s?(?:x|ext\.?|extn\.?|extension|durchwahl|poste|分机号?|转)\s{0,2}[:.]?\s?|\s#)\d{1,6}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_ENDS_HERE = re.compile(r"(?![A-Za-z_@%€$£]|\.\d|,\d{3}(?!\d)|-\d)|(?=[xX]\d)")
# Six digits are a number only right behind the word.
_SHORT_ONE = re.compile(
    r"(?:phone|tel|fax|mobile|cell|call|dial|ring|at|on|is|number|电话|手机|座机|传真|号码|是|为)[\s.:#-]{0,3}\Z",
    re.IGNORECASE,
)
# What may stand around a number that is all somebody says: "Sure, 2125551234, thanks".
_FILLERS = re.compile(
    r"\W*(?:(?:sure|yes|yeah|ok|okay|hi|hello|it'?s|it is|here|this|is|thanks|thank you|please|you"
    r"|好的?|是的?|嗯|谢谢|给你|这个)\W*)*",
    re.IGNORECASE,
)


class PhoneRecognizer(KindRecognizer):
    """Looks only at runs of digits, so that a text without them costs next to nothing."""

    kind = "PHONE"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        regions = nlp_artifacts.rules.regions
        text = _DATE_OR_PRICE.sub(lambda found: "\0" * len(found[0]), text)
        return [
            RecognizerResult(self.kind, start, end, 0.8)
            for run in runs(text, LEAST)
            for start, end in _phones_in(text, run, regions)
        ]


def _phones_in(text: str, run: Run, regions: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the phone numbers in a run of digits, the longest first: other numbers may stand beside them."""
    first = 0
    while first < len(run.groups):
        begin = _BEFORE.search(text, max(0, run.groups[first][0] - 3), run.groups[first][0])
        start = begin.start() if begin else run.groups[first][0]
        # In "Chen (13812345678)" the bracket is no part of the number.
        if text[start] == "(" and ")" not in text[start : start + AREA]:
            start += 1
        last = _last_group(text, run, first, start, regions)
        if last is not None:
            end = run.groups[last][1]
            extension = _EXTENSION.match(text, end)
            yield start, extension.end() if extension else end
            first = last
        first += 1


def _last_group(text: str, run: Run, first: int, start: int, regions: Sequence[str]) -> int | None:
    """Where the number that begins here ends: first by its own shape, then because words call it a phone."""
    lasts = [last for last in parts(run, first, LEAST, MOST) if _ends_well(text, run, last)]
    tried = [(last, run.groups[last][1], meaning(text, start, run.groups[last][1])) for last in lasts]
    for told_by in (_by_shape, _by_words):
        for last, end, called in tried:
            free = called == "phone" or first > 0 or not run.glued
            if free and told_by(text, start, end, called, regions):
                return last
    return None


def _ends_well(text: str, run: Run, last: int) -> bool:
    """Not in the middle of a word, an amount or an address; an extension may follow."""
    return last < len(run.groups) - 1 or bool(_ENDS_HERE.match(text, run.groups[last][1]))


def _by_shape(text: str, start: int, end: int, called: str | None, regions: Sequence[str]) -> bool:
    """A number that nothing else looks like, whatever stands around it."""
    number = text[start:end]
    if not 7 <= len(digits(number)) <= MOST:
        return False
    if "+" in number:
        return _possible(number)
    if called in ("id", "national", "bank"):
        return False
    if _CHINESE_MOBILE.fullmatch(number) or _AMERICAN.fullmatch(number):
        return True
    if "\n" in number and (called != "phone" or number[0] != "0" or called_phone_after(text, end)):
        # A postal code above a number would pass for its area.
        return False
    if called == "phone" or _is_all(text, start, end):
        return bool(_AMERICAN_UNGROUPED.fullmatch(number)) or any(
            _valid(number, region) for region in regions
        )
    return called != "card" and (_from_abroad(number) or any(_national(number, region) for region in regions))


def _by_words(text: str, start: int, end: int, called: str | None, regions: Sequence[str]) -> bool:
    """Whatever words call a phone: numbers of every country, and mistyped ones."""
    number = text[start:end]
    if called != "phone" or "\n" in number:
        return False
    said_at_once = _SHORT_ONE.search(text, max(0, start - 20), start) or called_phone_after(text, end)
    return len(digits(number)) > LEAST or bool(said_at_once)


def _from_abroad(number: str) -> bool:
    abroad = _ABROAD.match(number)
    return bool(abroad) and _possible("+" + number[abroad.end() :] if abroad else number)


def _national(number: str, region: str) -> bool:
    """Written as at home: with the 0 before the area, or in groups where there is no such 0."""
    if number.lstrip("(").startswith("0"):
        return (len(number) <= LONGEST_AT_HOME or not number.isdigit()) and _valid(number, region)
    grouped = sum(not char.isdigit() for char in number) >= 1
    return grouped and _national_prefix(region) != "0" and region != "US" and _valid(number, region)


def _is_all(text: str, start: int, end: int) -> bool:
    """Whether somebody says nothing but this number, as people do when they were asked for it."""
    return len(text) < 80 and bool(_FILLERS.fullmatch(text, 0, start) and _FILLERS.fullmatch(text, end))


@lru_cache(maxsize=2048)
def _possible(number: str) -> bool:
    return _is(phonenumbers.is_possible_number, number, None)


@lru_cache(maxsize=8192)
def _valid(number: str, region: str) -> bool:
    return _is(phonenumbers.is_valid_number, number, region)


def _is(good: Callable[[phonenumbers.PhoneNumber], bool], number: str, region: str | None) -> bool:
    try:
        return good(phonenumbers.parse(number.replace("\n", " "), region))
    except NumberParseException:
        return False


@lru_cache
def _national_prefix(region: str) -> str | None:
    metadata = PhoneMetadata.metadata_for_region(region)
    return metadata.national_prefix if metadata else None
