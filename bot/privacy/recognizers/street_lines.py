"""A text as segments between commas and line ends, and the street in a segment, if there is one."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from . import names, streets
from .pieces import LETTER

_TOKEN = re.compile(
    rf"(?<![\w.,$€£#@%/-])\d+(?:[-/]\d+)?(?:st|nd|rd|th|[A-Za-zºª])?(?![\w%@]|[.,:]\d)|{LETTER}+(?:['’./-]{LETTER}+)*"
)
_COMMA = re.compile(r"\.?[ \t]*,[ \t]*")
_NEW_LINE = re.compile(r"[.,]?[ \t]*(?:\r?\n[\s>?*|,]*)")
_DIGITS = re.compile(r"\d{1,5}")


class Token(NamedTuple):
    start: int
    end: int
    text: str
    folded: str

    @property
    def number(self) -> bool:
        return self.text[0].isdigit()

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()


Segment = tuple[Token, ...]


class Street(NamedTuple):
    """Which tokens of a segment are the street; sure when a word says so."""

    first: int
    last: int
    sure: bool


def runs(text: str) -> Iterator[list[Segment]]:
    """Yield segments that follow each other with nothing but commas and line ends between them."""
    small_only = not any(char.isupper() for char in text)
    run: list[Segment] = []
    segment: list[Token] = []
    before: Token | None = None
    for match in _TOKEN.finditer(text):
        token = Token(match.start(), match.end(), match[0], names.folded(match[0]))
        between = text[before.end : token.start] if before else ""
        same = bool(segment) and before is not None and _continues(before, between)
        cut = bool(segment) and bool(_COMMA.fullmatch(between) or _NEW_LINE.fullmatch(between))
        if segment and not same:
            run.append(tuple(segment))
            segment = []
        if not (same or cut) and run:
            yield run
            run = []
        if _belongs(token, segment, small_only):
            segment.append(token)
        elif segment or run:
            yield [*run, tuple(segment)] if segment else run
            run, segment = [], []
        before = token
    if segment or run:
        yield [*run, tuple(segment)] if segment else run


def _continues(before: Token, between: str) -> bool:
    if between in (" ", "  ", " #"):
        return True
    shortened = before.folded in streets.SHORTENED or before.folded.endswith("str") or len(before.text) == 1
    return between in (". ", ".", "/") and (shortened or before.number)


def _belongs(token: Token, segment: Sequence[Token], small_only: bool) -> bool:
    if token.number:
        return bool(_DIGITS.match(token.text)) and len(token.text) <= 10
    word = token.folded
    if segment and (word in streets.PARTICLES or word in streets.TYPES or word in streets.DIRECTIONS):
        return True
    if word in streets.UNITS or word in streets.PREFIXES:
        return True
    named = token.capital or (segment and segment[0].number)
    if word in streets.FUNCTION and not (named and word in streets.IN_TOWNS):
        return False
    return token.capital or small_only or _may_be_small(token, segment)


def _may_be_small(token: Token, segment: Sequence[Token]) -> bool:
    """ "12 old mill road": any words may stand between a number and what kind of street it is."""
    if not segment:
        return False
    return token.folded not in names.COMMON or (segment[0].number and len(segment) <= 3)


def is_unit(segment: Segment, number: int) -> bool:
    """Whether "Apt. 5" begins at this token."""
    if segment[number].folded not in streets.UNITS or number + 1 >= len(segment):
        return False
    return segment[number + 1].number or len(segment[number + 1].text) == 1


def cut_at_units(segments: Sequence[Segment]) -> list[Segment]:
    """Make "Apt. 5" a segment of its own."""
    cut: list[Segment] = []
    for segment in segments:
        first = number = 0
        while number < len(segment):
            if is_unit(segment, number):
                cut += [segment[first:number], segment[number : number + 2]]
                first = number = number + 2
            else:
                number += 1
        cut.append(segment[first:])
    return [segment for segment in cut if segment]


def street(segment: Segment) -> Street | None:
    """Find the street: by its type, by its first word, by its compound name, or just by its numbers."""
    found = [
        place
        for place in (_typed(segment), _compound(segment), _prefixed(segment), _ended(segment))
        if place is not None
    ]
    if found:
        return Street(min(first for first, _ in found), max(last for _, last in found), sure=True)
    return _numbered(segment)


def _typed(segment: Segment) -> tuple[int, int] | None:
    """ "12 Oak Street N", "Oak Street"."""
    for last in range(len(segment) - 1, 0, -1):
        token = segment[last]
        if token.folded not in streets.TYPES or not _names_a_street(segment[last - 1]):
            continue
        first = next((n for n in range(last) if segment[n].number), None)
        if first is not None and (token.capital or _surely(segment, last)) and last - first <= 6:
            return first, _after_type(segment, last)
        ends = last + 1 == len(segment) or not segment[last + 1].capital
        if token.capital and token.folded in streets.NAMED_TYPES and ends:
            return _back(segment, last), _after_type(segment, last)
    return None


def _surely(segment: Segment, last: int) -> bool:
    """In small letters "2 trail road bikes" is no street."""
    following = segment[last + 1].folded if last + 1 < len(segment) else ""
    return segment[last].folded in streets.SURE_TYPES and following not in names.COMMON


def _names_a_street(token: Token) -> bool:
    if token.number:
        return not token.text.isdigit()
    return token.folded == "the" or token.folded not in streets.PARTICLES


def _after_type(segment: Segment, last: int) -> int:
    while last + 1 < len(segment) and (
        segment[last + 1].folded in streets.DIRECTIONS
        or (segment[last + 1].number and len(segment[last + 1].text) <= 4)
    ):
        last += 1
    return last


def _back(segment: Segment, last: int) -> int:
    """Where the capitalised words before a street's last word begin."""
    first = last
    while first and last - first < 3 and not segment[first - 1].number:
        if segment[first - 1].folded in streets.TYPES and first < last:
            break
        first -= 1
    return first


def _compound(segment: Segment) -> tuple[int, int] | None:
    """ "Hauptstraße 5", "5 Hauptstraße"."""
    for place, token in enumerate(segment):
        if token.folded in names.COMMON or not streets.COMPOUND.fullmatch(token.text):
            continue
        after = place + 1 < len(segment) and segment[place + 1].number
        first = place
        while first and place - first < 4 and not segment[first].number:
            first -= 1
        if not after and not segment[first].number:
            continue
        while first and segment[first - 1].number:
            first -= 1
        return first, place + after
    return None


def _prefixed(segment: Segment) -> tuple[int, int] | None:
    """ "Rue de la Paix 5", "5 Avenue Foch", "ul. Karpacka 69"."""
    for place, token in enumerate(segment[:-1]):
        if token.folded not in streets.PREFIXES or segment[place + 1].number:
            continue
        first = place
        while first and segment[first - 1].number:
            first -= 1
        numbers = [n for n in range(place + 1, min(place + 8, len(segment))) if segment[n].number]
        if numbers:
            return first, numbers[0]
        if first < place:
            return first, min(place + 5, len(segment) - 1)
    return None


def _ended(segment: Segment) -> tuple[int, int] | None:
    """ "Dózsa György út 78"."""
    for place in range(1, len(segment) - 1):
        if segment[place].folded in streets.ENDINGS and segment[place + 1].number:
            first = place
            while first and segment[first - 1].number is False:
                first -= 1
            while first and segment[first - 1].number:
                first -= 1
            return first, place + 1
    return None


def _numbered(segment: Segment) -> Street | None:
    """ "71 Třebčínská 860", "Třebčínská 860", "12 Rosebank": something else must say that it is a street."""
    numbers = [place for place, token in enumerate(segment) if token.number]
    words = [place for place, token in enumerate(segment) if not token.number and len(token.text) > 1]
    if not numbers or not words:
        return None
    if len(numbers) == 1 and all(segment[place].folded in names.COMMON for place in words):
        return None
    first = 0 if numbers[0] else numbers[0]
    last = numbers[-1] if numbers[-1] > words[0] else words[-1]
    return Street(first, last, sure=False) if last - first <= 7 else None
