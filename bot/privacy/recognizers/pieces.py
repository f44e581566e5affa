"""Pieces of a text that might be somebody's name, before anybody asks what speaks for it."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from . import names

# Letters of alphabets: Chinese, Japanese and Korean have no capitals and no spaces.
LETTER = r"[^\W\d_\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]"
_WORD = re.compile(rf"{LETTER}+(?:['’-]{LETTER}+)*")
_POSSESSIVE = re.compile(r"['’]s$", re.IGNORECASE)
_CONTRACTED = re.compile(r"['’](?:m|ve|d|ll|re|t)$", re.IGNORECASE)
_PARTICLES = frozenset(
    """
    van von der den de del della di da do dos das du la le ter ten te af av zu zum bin ibn al el y e st
    """.split()  # noqa: SIM905  words read better as a text
)
_FIRST_PARTICLES = frozenset(("van", "von", "de", "ten", "ter"))
_SHORTEST_SMALL = 4


class Word(NamedTuple):
    start: int
    end: int
    text: str
    folded: str

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()

    @property
    def initial(self) -> bool:
        return len(self.text) == 1 and self.capital


class Piece(NamedTuple):
    """Words that stand side by side, and the capitalised words right before and after them."""

    words: tuple[Word, ...]
    before: Word | None
    after: Word | None

    @property
    def start(self) -> int:
        return self.words[0].start

    @property
    def end(self) -> int:
        return self.words[-1].end


def in_text(text: str) -> Iterator[Piece]:
    """Yield capitalised pieces, and known given names in small letters with what follows them."""
    words = [_word(match) for match in _WORD.finditer(text)]
    small_only = not any(word.capital and len(word.text) > 1 for word in words)
    run: list[Word] = []
    for number, word in enumerate(words):
        if run and not _touch(text, run[-1], word):
            yield from _of_run(run)
            run = []
        if _goes_in(word, run, words[number + 1] if number + 1 < len(words) else None, text):
            run.append(word)
        elif run:
            yield from _of_run(run)
            run = []
    yield from _of_run(run)
    yield from _small(text, words, small_only)


def _word(match: re.Match[str]) -> Word:
    end = match.end()
    if tail := _POSSESSIVE.search(match[0]):
        end -= len(tail[0])
    plain = match.string[match.start() : end]
    return Word(match.start(), end, plain, names.folded(plain))


def _touch(text: str, one: Word, other: Word) -> bool:
    """Nothing but a space between them, or the full stop of an initial or a title."""
    between = text[one.end : other.start].replace("\ufeff", "")
    return between in (" ", "  ") or (between in (". ", ".") and (one.initial or one.folded in ("st", "ste")))


def _goes_in(word: Word, run: Sequence[Word], following: Word | None, text: str) -> bool:
    if word.capital:
        article = word.text in ("A", "I") and text[word.end : word.end + 1] != "."
        return not article and not _CONTRACTED.search(word.text)
    if word.text not in _PARTICLES or following is None or not (run or word.text in _FIRST_PARTICLES):
        return False
    return _touch(text, word, following) and (following.capital or following.text in _PARTICLES)


def _of_run(run: Sequence[Word]) -> Iterator[Piece]:
    """Cut a run of capitalised words where one is no name: "Hello Maria", "Emma Mattress"."""
    first = 0
    for number, word in enumerate([*run, None]):
        if word is None or not _may_be_name(word, run[first:number]):
            if piece := _trimmed(run[first:number]):
                yield Piece(piece, run[first - 1] if first else None, word)
            elif word and word.folded in names.FAMILY and number + 1 == len(run):
                # "Mr. Young", "Willis and Green": only the words around can tell.
                yield Piece((word,), run[number - 1] if number else None, None)
            first = number + 1


def _may_be_name(word: Word, so_far: Sequence[Word]) -> bool:
    """A common word can only be a family name, after a given name: Susan Hill."""
    if word.folded in names.EITHER or word.folded not in names.COMMON:
        return True
    if word.text in _PARTICLES:
        return True
    return word.folded in names.FAMILY and any(
        names.is_given(w.folded) or w.folded in names.EITHER or w.initial for w in so_far
    )


def _trimmed(words: Sequence[Word]) -> tuple[Word, ...]:
    """Without particles and initials at its end, such as "Maria de"."""
    last = len(words)
    while last and (words[last - 1].text in _PARTICLES or words[last - 1].initial):
        last -= 1
    return tuple(words[:last])


def _small(text: str, words: Sequence[Word], small_only: bool) -> Iterator[Piece]:
    """Yield given names in small letters, with the family name after them."""
    taken = -1
    for number, word in enumerate(words):
        if number <= taken or not _begins_small(text, words, number):
            continue
        last = number
        for one, other in pairwise(words[number : number + 5]):
            if not _touch(text, one, other) or not _goes_on_small(other, small_only):
                break
            last += 1
        piece = _trimmed(words[number : last + 1])
        if piece and (len(piece) > 1 or names.is_given(word.folded)):
            yield Piece(piece, None, None)
            taken = last


def _begins_small(text: str, words: Sequence[Word], number: int) -> bool:
    word = words[number]
    if (
        word.capital
        or len(word.text) < _SHORTEST_SMALL
        or text[word.start - 1 : word.start] in tuple("@#/_<-.")
    ):
        return False
    return names.is_given(word.folded) or word.folded in names.EITHER


def _goes_on_small(word: Word, small_only: bool) -> bool:
    if word.capital or word.folded in names.COMMON:
        return False
    return names.is_family(word.folded) or word.text in _PARTICLES or (small_only and len(word.text) > 2)
