"""Values known beforehand, found exactly: the customer's name and address, private fields of tool results."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .placeholders import Span

# Letters and digits that a value must not be cut out of. Chinese characters are not among them: there, a name
# or an address stands between characters without a space.
_LETTER = "0-9A-Za-z\u00c0-\u024f"
_AROUND_ADDRESS = _LETTER + "._%+\\-"
_GAP = r"[\s().\-/]{0,3}"

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


def find(text: str, known: Sequence[Known]) -> list[Span]:
    """Return where the known values stand, the longest first where two overlap."""
    found = sorted(
        (span for item in known for span in _find_one(text, item)),
        key=lambda span: (span.start - span.end, span.start),
    )
    kept: list[Span] = []
    for span in found:
        if not any(span.start < other.end and other.start < span.end for other in kept):
            kept.append(span)
    return sorted(kept)


def _find_one(text: str, item: Known) -> Iterator[Span]:
    value = item.value.strip()
    pattern = _pattern(item.kind, value)
    if pattern:
        for match in pattern.finditer(text):
            yield Span(match.start(), match.end(), item.kind)
    words = value.split()
    if item.kind == "PERSON" and len(words) > 1:
        yield from _single_words(text, words)


def _pattern(kind: str, value: str) -> re.Pattern[str] | None:
    if len(value) < 2:
        return None
    if kind in ("PHONE", "CARD"):
        digits = [char for char in value if char.isdecimal()]
        return re.compile(rf"(?<!\d)\+?\(?{_GAP.join(digits)}(?!\d)") if len(digits) >= 7 else None
    edge = _AROUND_ADDRESS if kind == "EMAIL" else _LETTER
    after = rf"(?![{_LETTER}])" if kind != "EMAIL" else rf"(?![{_LETTER}]|[.-][{_LETTER}])"
    body = r"\s+".join(re.escape(word) for word in value.split())
    # A name of two letters is also half of many sentences.
    flags = re.NOFLAG if len(value) == 2 and value.isascii() else re.IGNORECASE
    return re.compile(rf"(?<![{edge}]){body}{after}", flags)


def _single_words(text: str, words: Sequence[str]) -> Iterator[Span]:
    """Yield the words of a full name standing alone, where they are written as names."""
    for word in words:
        if len(word) < 3 or not word[0].isalpha():
            continue
        name = re.escape(word[0].upper() + word[1:])
        for match in re.finditer(
            rf"(?<![{_LETTER}]){name}(?![{_LETTER}])|(?<![{_LETTER}]){re.escape(word.upper())}(?![{_LETTER}])",
            text,
        ):
            if word.lower() in _ALSO_WORDS and _SENTENCE_START.search(text[: match.start()]):
                continue
            yield Span(match.start(), match.end(), "PERSON")
