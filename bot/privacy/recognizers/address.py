"""Street addresses as they are written in Europe and America: what leads to somebody's door."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from presidio_analyzer import RecognizerResult

from . import names, street_lines, streets
from .kind import KindRecognizer
from .street_lines import Segment, Street

_REACH = 60
# After a street: town, region, country; a postal code or a country closes an address.
_MOST_AFTER = 4
_MOST_WORDS = 6
_TOWN_AFTER = re.compile(r"[ \t]+[^\W\d_a-z][^\W\d_]+(?:[- ][^\W\d_a-z][^\W\d_]+){0,2}")


class AddressRecognizer(KindRecognizer):
    """A town or a postal code alone is kept; what follows a street up to its postal code goes with it."""

    kind = "ADDRESS"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        found = [
            match.span() for pattern in (streets.BOX, streets.MILITARY) for match in pattern.finditer(text)
        ]
        for segments in street_lines.runs(text):
            found += _in_run(text, street_lines.cut_at_units(segments))
        return [RecognizerResult(self.kind, start, end, 0.82) for start, end in _joined(text, found)]


def _in_run(text: str, segments: Sequence[Segment]) -> Iterator[tuple[int, int]]:
    """Yield streets with the door before or after them and with what closes the address."""
    number = 0
    while number < len(segments):
        segment = segments[number]
        found = street_lines.street(segment)
        if found is None:
            number += 1
            continue
        led = bool(streets.LEADS_TO.search(text, max(0, segment[0].start - _REACH), segment[0].start))
        # "the address is Oakfield 86 Green Street": the name of a house stands before the number.
        start, end = segment[0 if led else found.first].start, segment[found.last].end
        rest = [segment[found.last + 1 :], *segments[number + 1 :]]
        end, taken, known = _rest(text, end, [part for part in rest if part])
        if not (found.sure or known or (led and _looks_right(segment, found))):
            number += 1
            continue
        if number and street_lines.is_unit(segments[number - 1], 0):
            start = segments[number - 1][0].start
        yield start, end
        number += 1 + max(0, taken - (1 if rest[0] else 0))


def _looks_right(segment: Segment, found: Street) -> bool:
    """A number and common words make no street, even after "is at"."""
    words = [token for token in segment if not token.number]
    if found.first or not (words[0].capital or words[0].folded not in names.COMMON):
        return False
    return any(len(word.text) > 1 and word.folded not in names.COMMON for word in words)


def _rest(text: str, end: int, segments: Sequence[Segment]) -> tuple[int, int, bool]:
    """Where the address ends, how many segments that takes, and whether they prove it an address."""
    taken, known = 0, False
    for number, segment in enumerate(segments[:_MOST_AFTER]):
        if street_lines.is_unit(segment, 0):
            end, taken, known = segment[1].end, number + 1, True
        elif closed := _closed(text, segment):
            end, taken, known = closed, number + 1, True
            if text[end - 1].isdigit():
                break
        elif len(segment) > (2 if any(token.number for token in segment) else _MOST_WORDS):
            break
        elif known and segment[0].start == end + 1 and text[end] == " ":
            # "Apt. 5 Montzen Liège": nothing tells the town from the street.
            end, taken = segment[-1].end, number + 1
    return end, taken, known


def _closed(text: str, segment: Segment) -> int:
    """Where a postal code or a country ends this segment, else 0."""
    for place, token in enumerate(segment[:_MOST_WORDS]):
        match = streets.POSTAL.match(text, token.start)
        if match and (place or len(match[0]) >= 5 or len(segment) > 1):
            town = _TOWN_AFTER.match(text, match.end()) if place == 0 else None
            return town.end() if town else match.end()
        if token.number:
            return 0
    whole = " ".join(token.folded for token in segment)
    return segment[-1].end if whole in names.COUNTRIES else 0


def _joined(text: str, found: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield addresses, those that touch as one, and corners of two streets whole."""
    start, end = -1, -1
    for begin, finish in sorted(found):
        corner = streets.CORNER.search(text, max(0, begin - _REACH), begin)
        begin = corner.start() if corner else begin
        if begin <= end or (start >= 0 and not text[end:begin].strip(" ,\n")):
            start, end = min(start, begin), max(end, finish)
            continue
        if start >= 0:
            yield start, end
        start, end = begin, finish
    if start >= 0:
        yield start, end
