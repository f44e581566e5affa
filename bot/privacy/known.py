"""Values known beforehand, found exactly: what a site or a tool told, and what was private here before."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from .characters import EASTERN, HALF_WIDTH
from .placeholders import Span, normalise

# Letters and digits that a value must not be cut out of. Chinese characters are not among them: there, a name
# or an address stands between characters without a space.
_LETTER = "0-9A-Za-z\u00c0-\u024f"
_AROUND_ADDRESS = _LETTER + "._%+\\-"
_GAP = r"[\s().\-/]{0,3}"
_NUMBERS = ("PHONE", "CARD", "BANK", "NATIONAL_ID")
_LEAST_NUMBER = 7

# The values of a private yes or no: no texts of their own.
_YES_OR_NO = ("true", "false")

_BETWEEN = re.compile(r"[\W_]+")

# Names that are also words: at the beginning of a sentence they are taken for the word.
_ALSO_WORDS = frozenset(
    """
    april art august best bill black bright brown chase dawn day drew faith frank grace grant green
    holly hope ivy jack joy june long mark may miles pat penny price rich rose small sue summer white
    will young
    """.split()  # noqa: SIM905  words read better as a text
)
_SENTENCE_START = re.compile(r"(?:^|[.!?。！？\n])\s*\Z")


class Known(NamedTuple):
    """A private value and its kind."""

    kind: str
    value: str
    # Told by a site or a tool; what was only detected here before is looked for more strictly.
    told: bool = True


class Index:
    """Known values, ready to be found: what a text does not hold at all costs next to nothing."""

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self._needles: dict[tuple[str, str], tuple[Known, tuple[str, ...]]] = {}
        self.add(known)

    def add(self, known: Iterable[Known]) -> None:
        for item in known:
            key, needles = _needles(item)
            before = self._needles.get(key)
            if needles and (before is None or item.told > before[0].told):
                self._needles[key] = (item, needles)

    def find(self, text: str) -> list[Span]:
        """Return where the known values stand, the longest first where two overlap."""
        plain = text.translate(HALF_WIDTH)
        squeezed = _squeezed(plain)
        held = [item for item, needles in self._needles.values() if any(n in squeezed for n in needles)]
        found = sorted(
            (span for item in held for span in _find_one(plain, item)),
            key=lambda span: (span.start - span.end, span.start),
        )
        kept: list[Span] = []
        for span in found:
            if not any(span.start < other.end and other.start < span.end for other in kept):
                kept.append(span)
        return sorted(kept)


def find(text: str, known: Sequence[Known]) -> list[Span]:
    """Find values in one text; who has many texts keeps an Index."""
    return Index(known).find(text)


@lru_cache(maxsize=4096)
def _needles(item: Known) -> tuple[tuple[str, str], tuple[str, ...]]:
    """What tells a value from others, and what a text holds that holds it; nothing where it says nothing."""
    key = (item.kind, normalise(item.kind, item.value))
    parts = [item.value, *(_name_words(item.value) if _by_words(item) else ())]
    return key, tuple(_squeezed(part) for part in parts) if _worth(item) else ()


def _squeezed(text: str) -> str:
    return _BETWEEN.sub("", text.translate(HALF_WIDTH).casefold())


def _worth(item: Known) -> bool:
    """Whether finding the value says anything: what was only detected may be a common number or word."""
    value = item.value.strip()
    if value in _YES_OR_NO:
        return False
    if item.told or EASTERN.search(value):
        return len(value) > 1
    return len(value) >= (6 if value.isdecimal() else 3)


def _by_words(item: Known) -> bool:
    return item.told and item.kind == "PERSON"


def _name_words(value: str) -> list[str]:
    words = value.split()
    return [word for word in words if len(word) > 2 and word[0].isalpha()] if len(words) > 1 else []


def _find_one(text: str, item: Known) -> Iterator[Span]:
    value = item.value.strip().translate(HALF_WIDTH)
    pattern = (_number(item.kind, value) if item.kind in _NUMBERS else None) or _words(item, value)
    one_word = item.kind == "PERSON" and not item.told and value.isalpha()
    for match in pattern.finditer(text):
        if not (one_word and _opens_sentence(text, match)):
            yield Span(match.start(), match.end(), item.kind)
    if _by_words(item):
        yield from _single_words(text, _name_words(value))


def _number(kind: str, value: str) -> re.Pattern[str] | None:
    """A number however it is grouped; a phone's and a card's may touch letters, as in `tel138...`.

    A short one is no more than a word: grouped otherwise, it is a date, a price or another number.
    """
    signs = [char for char in value if char.isalnum()]
    if len(signs) < _LEAST_NUMBER:
        return None
    edge = r"\d" if kind in ("PHONE", "CARD") else _LETTER
    body = _GAP.join(map(re.escape, signs))
    return re.compile(rf"(?<![{edge}])\+?\(?{body}(?![{edge}])", re.IGNORECASE)


def _words(item: Known, value: str) -> re.Pattern[str]:
    edge = _AROUND_ADDRESS if item.kind == "EMAIL" else _LETTER
    after = rf"(?![{_LETTER}])" if item.kind != "EMAIL" else rf"(?![{_LETTER}]|[.-][{_LETTER}])"
    body = r"\s+".join(re.escape(word) for word in value.split())
    if value.isdecimal():
        body, after = rf"(?<!\d[.,:/-]){body}", rf"{after}(?![.,:/-]\d)"
    return re.compile(rf"(?<![{edge}]){body}{after}", _case(item, value))


def _case(item: Known, value: str) -> re.RegexFlag:
    """A name of two letters is also half of many sentences, and a password is no other one."""
    exactly = (len(value) == 2 and value.isascii()) or item.kind == "SECRET"
    detected_name = item.kind == "PERSON" and not item.told
    return re.NOFLAG if exactly or detected_name else re.IGNORECASE


def _single_words(text: str, words: Sequence[str]) -> Iterator[Span]:
    """Yield the words of a full name standing alone, where they are written as names."""
    for word in words:
        name = re.escape(word[0].upper() + word[1:])
        for match in re.finditer(
            rf"(?<![{_LETTER}]){name}(?![{_LETTER}])|(?<![{_LETTER}]){re.escape(word.upper())}(?![{_LETTER}])",
            text,
        ):
            if not _opens_sentence(text, match):
                yield Span(match.start(), match.end(), "PERSON")


def _opens_sentence(text: str, match: re.Match[str]) -> bool:
    return match[0].lower() in _ALSO_WORDS and bool(_SENTENCE_START.search(text[: match.start()]))
