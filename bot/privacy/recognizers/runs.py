"""Runs of digits with what people write between them: blanks, dots, dashes, brackets, a new line."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_BETWEEN = r"(?:[ \t().\-/]{1,3}|[ \t.\-]{0,3}\r?\n[ \t]{0,3})"
_RUN = re.compile(rf"\d+(?:{_BETWEEN}\d+)*")
_GROUP = re.compile(r"\d+")
_GLUE = re.compile(r"[A-Za-z_#@$€£¥]")
# An extension, as in "212-555-0123x12", is no glue.
_GLUE_AFTER = re.compile(r"(?![xX]\d)[A-Za-z_@%€£¥]")
# "1,299.00" and "$12.50" are amounts; "HP-10423" is a code.
_AMOUNT_OR_CODE = re.compile(r"(?:\d[.,]|[A-Za-z]-)\Z")


# Beyond so many groups single digits are a table or a game: nobody writes a number that way.
LONG = 60


class Run(NamedTuple):
    """Digits in groups; glued when a letter or a sign such as # touches them."""

    groups: list[tuple[int, int]]
    glued: bool


def runs(text: str, least: int) -> Iterator[Run]:
    """Yield the runs that hold at least so many digits, in order."""
    for match in _RUN.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *match.span())]
        if sum(end - start for start, end in groups) >= least:
            yield Run(groups, _is_glued(text, *match.span()))


def parts(run: Run, first: int, least: int, most: int) -> Iterator[int]:
    """Yield which groups may end a number that begins at the first one, the longest number first."""
    count, ends = 0, []
    start, end = run.groups[first]
    if len(run.groups) > LONG and end - start == 1:
        return iter(())
    for last in range(first, len(run.groups)):
        start, end = run.groups[last]
        count += end - start
        if count > most:
            break
        if count >= least:
            ends.append(last)
    return reversed(ends)


def digits(text: str) -> str:
    """Only the digits, as 0 to 9 in whatever script they were written."""
    return "".join(str(int(char)) for char in text if char.isdecimal())


def _is_glued(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - 2) : start]
    return bool(_GLUE.match(before[-1:]) or _AMOUNT_OR_CODE.search(before) or _GLUE_AFTER.match(text, end))
