"""Names whose place is told by the words before them, whether a list or the model knows them or not."""

import re
from collections.abc import Iterator

from . import names
from .cues import TITLES
from .pieces import LETTER

_ONE_WORD = rf"{LETTER}+(?:['’-]{LETTER}+)*"
_FOLLOWED = rf"(?P<name>{_ONE_WORD}(?:\.? {_ONE_WORD}){{0,3}})"
_WHOSE = r"my|his|her|their|our|full|maiden|last|first|given|family|middle|partner['’]s|account|whose"
_THINGS = r"order|card|account|parcel|package|invoice"
_NAME_IS = re.compile(
    rf"(?:\b(?:{_WHOSE})\s+(?:full )?names?(?: is|['’]s|:| was)"
    rf"|\bname(?: on (?:the|my|this) (?:{_THINGS}) is|\s?[:=])"
    r"|\b(?:people|friends|everyone) calls? me|\bi(?: a|['’])m called|\bcall me|\bsigned(?: by)?:?)\s+"
    rf"{_FOLLOWED}",
    re.IGNORECASE,
)
_TITLED = re.compile(rf"(?<![^\W_])(?:{TITLES})(?:\. ?| ){_FOLLOWED}", re.IGNORECASE)
_GOES_ON = frozenset(
    """
    a an and are as at but can could did different do does for from had has have how i i'd i'm in
    incorrect is it it's missing misspelled my not of on or please printed so spelled spelt that the
    then there to was what when where which who why will with would wrong you your or but if because
    """.split()  # noqa: SIM905  words read better as a text
)
_PARTICLES = frozenset("van von der den de del di da dos la le el bin ibn al ter ten".split())  # noqa: SIM905


def in_text(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of names after "my name is" and after titles, in small letters too."""
    for match in _NAME_IS.finditer(text):
        yield from _name(match, first_is_sure=False)
    for match in _TITLED.finditer(text):
        yield from _name(match, first_is_sure=True)


def _name(match: re.Match[str], first_is_sure: bool) -> Iterator[tuple[int, int]]:
    """Yield as much of what follows as belongs to a name: "yusuf rossi" of "yusuf rossi and my zip"."""
    start = end = match.start("name")
    capital = match["name"][0].isupper()
    for word in re.finditer(_ONE_WORD, match["name"]):
        plain = names.folded(word[0])
        ends = match.string[start + word.end() : start + word.end() + 1] in (
            ".",
            ",",
            "?",
            "!",
            ";",
            "\n",
            "",
        )
        if plain in _PARTICLES and not ends:
            continue
        if not _belongs(word[0], plain, capital, end > start or first_is_sure, ends):
            break
        end = start + word.end()
        if word[0].endswith(("'s", "’s")):
            end -= 2
            break
    if end > start:
        yield start, end


def _belongs(word: str, plain: str, capital: bool, begun: bool, ends: bool) -> bool:
    if plain in _GOES_ON or (capital and not word[0].isupper()):
        return False
    if plain not in names.COMMON or plain in names.EITHER:
        return True
    # "Mr. Young", "chad farmer."; but not "my name is wrong".
    return begun and plain in names.FAMILY and (capital or ends)
