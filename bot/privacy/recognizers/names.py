"""Names that people bear, words that are no names, and places: what letters alone tell about a word."""

import unicodedata
from functools import lru_cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "words"
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "ß": "ss", "þ": "th", "æ": "ae", "œ": "oe", "’": "'"}
)


def _read(name: str) -> frozenset[str]:
    words = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").split()
    return frozenset(word.replace("_", " ") for word in words)


# Given names that mean nothing else, and those that are words too, such as Grace and Will.
GIVEN = _read("given")
EITHER = _read("either")
FAMILY = _read("family")
COMMON = _read("common")
PLACES = _read("places")
COUNTRIES = _read("countries")


@lru_cache(maxsize=4096)
def folded(word: str) -> str:
    """Small letters without accents, as the lists are written."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKD", word.lower())
    return "".join(char for char in plain if not unicodedata.combining(char)).translate(_LETTERS)


def is_given(word: str) -> bool:
    """A given name, of which each part of Anne-Marie is one too."""
    return word in GIVEN or ("-" in word and all(part in GIVEN for part in word.split("-")))


def is_family(word: str) -> bool:
    return word in FAMILY or ("-" in word and all(part in FAMILY for part in word.split("-")))
