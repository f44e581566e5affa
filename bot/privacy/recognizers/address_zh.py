"""Chinese street addresses: a place with a number that leads to a door, back to where the address begins."""

import re
from collections.abc import Iterator
from typing import Any

from presidio_analyzer import RecognizerResult

from . import chinese_names
from . import chinese_places as places
from .kind import KindRecognizer

_BUILDINGS = frozenset(("号楼", "栋", "幢", "座"))
_DOORS = _BUILDINGS | {"号院", "号", "单元", "室", "房", "#", "F"}
_GROUPS = frozenset(("期", "区", "组", "队"))
_WINDOW = 14
_LONGEST = 45


class ChineseAddressRecognizer(KindRecognizer):
    """What leads to a door is private; a city or district alone is not, since answers need it."""

    kind = "ADDRESS"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        found = _addresses(chinese_names.read(text))
        return [RecognizerResult(self.kind, start, end, 0.9) for start, end in found]


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    """1. Find a numbered place. 2. Follow it to the room. 3. Go back to where the address begins."""
    done = 0
    for number in places.NUMBERED.finditer(text):
        if number.start() < done or not _leads_to_door(text, number, done):
            continue
        end = number.end() + len(_rest(text, number))
        yield _begin(text, number.start(), done), end
        done = end


def _leads_to_door(text: str, number: re.Match[str], done: int) -> bool:
    before = text[max(done, number.start() - _WINDOW) : number.start()]
    unit = number["unit"]
    if unit is None:
        return _is_house(text, number) and _may_lack_unit(before, number[0])
    if unit == "号" and places.NO_DOOR.match(text, number.end()):
        return False
    if _is_road(before):
        return unit not in _GROUPS
    if unit in _DOORS and places.ESTATE.search(before):
        return True
    if unit in _DOORS and number[0][0] != "一" and places.SHORT_ESTATE.search(before):
        return True
    if unit in _BUILDINGS and (places.AFTER_AREA.search(before) or _goes_on(text, number, before)):
        return True
    return bool(places.VILLAGE.search(before))


def _is_road(before: str) -> bool:
    return bool(places.ROAD.search(before) and not places.NO_ROAD.search(before))


def _is_house(text: str, number: re.Match[str]) -> bool:
    """A number without a unit: one of several digits that counts nothing."""
    return bool(re.search("[0-9]{2}|-", number[0])) and not places.NO_HOUSE.match(text, number.end())


def _may_lack_unit(before: str, number: str) -> bool:
    if _is_road(before) or places.ESTATE.search(before):
        return True
    return "-" in number and bool(places.SHORT_ESTATE.search(before))


def _goes_on(text: str, number: re.Match[str], before: str) -> bool:
    """3栋2单元501 is an address, 3栋501 is one after any name, 3栋 alone is not."""
    rest = _rest(text, number)
    if re.search("单元.*[0-9]{3}", rest):
        return True
    return bool(places.SOME_NAME.search(before) and re.search("单元|室|[0-9]{3}", rest))


def _rest(text: str, number: re.Match[str]) -> str:
    match = places.REST.match(text, number.end())
    return match[0] if match else ""


def _begin(text: str, number: int, done: int) -> int:
    """At a province or city that is known, else after the words that lead to an address."""
    start = number
    while start > max(done, number - _LONGEST) and _belongs(text, start - 1, number):
        start -= 1
    if known := places.KNOWN.search(text, start, number):
        return known.start()
    if lead_in := places.LEAD_IN.match(text, start, number):
        start = lead_in.end()
    while text[start].isspace():
        start += 1
    return start


def _belongs(text: str, at: int, number: int) -> bool:
    char = text[at]
    if char.isspace():
        return at + 1 == number or (at > 0 and text[at - 1] in places.AREA_ENDS)
    if char == "-":
        return at > 0 and text[at - 1] in places.AREA_ENDS
    if char.isdigit():
        return at + 2 < number
    return char.isalpha() and not char.isascii() and char not in places.BREAKS
