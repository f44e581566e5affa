"""Payment card numbers: 13 to 19 digits, told by network and checksum, by grouping or by the words before."""

import re
from collections.abc import Iterator
from typing import Any

from presidio_analyzer import RecognizerResult
from stdnum import luhn

from .context import meaning
from .kind import KindRecognizer
from .runs import Run, digits, parts, runs

LEAST, MOST = 12, 19

# Which numbers the networks give out: Visa, Mastercard, Amex, Diners, Discover, JCB, UnionPay, Maestro, Mir.
_NETWORK = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11}(?:\d{2}|\d{5})?|6(?:011|4[4-9]\d|5\d\d)\d{12}(?:\d{3})?"
    r"|(?:352[89]|35[3-8]\d)\d{12,15}|(?:1800|2131)\d{11}|(?:62|81)\d{14,17}"
    r"|(?:50|5[6-9]|6\d)\d{11,17}|220[0-4]\d{12,15}"
)
_GROUPED = re.compile(
    r"[2-6]\d{3}([ .-])\d{4}\1\d{4}\1\d{3,4}(?:(?<=\d{4})\1\d{3})?|3\d{3}([ .-])\d{6}\2\d{4,5}"
)
# How many digits stand together in numbers that people write down: two orders of eight are no card.
_USUAL = re.compile(
    r"\d\d|(?:1,)+1|(?:2,)+[12]|(?=.*(?<!\d)4)(?:(?:4|8|12),)+(?:[1-4]|8|12)|4,6,[45]|(?:5,)+[1-5]"
)
_GROUP = re.compile(r"\d+")
_OTHER_SIGNS = re.compile(r"[()/]")


class CardRecognizer(KindRecognizer):
    """A mistyped card number is private too, so grouping or a card word makes up for the checksum."""

    kind = "CARD"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        return [
            RecognizerResult(self.kind, start, end, score)
            for run in runs(text, LEAST)
            for start, end, score in _cards_in(text, run)
        ]


def _cards_in(text: str, run: Run) -> Iterator[tuple[int, int, float]]:
    """Yield the card numbers in a run of digits: expiry dates and other numbers may stand beside them."""
    first = 0
    while first < len(run.groups):
        begin = run.groups[first][0]
        if text[begin] in "1234568":
            called = meaning(text, begin, run.groups[-1][1])
            tried = [
                (_score(text[begin : run.groups[last][1]], called, run.glued), last)
                for last in parts(run, first, LEAST, MOST)
            ]
            best = max((score for score, _ in tried), default=0)
            # The longest: three digits behind a card are its check number, or belong to a card of nineteen.
            score, last = next((pair for pair in tried if pair[0] == best), (0, first))
            if score:
                yield begin, run.groups[last][1], score
                first = last
        first += 1


def _score(written: str, called: str | None, glued: bool) -> float:
    if _OTHER_SIGNS.search(written) or (glued and called != "card"):
        return 0
    grouped = _GROUPED.fullmatch(written)
    if called == "id" and not grouped:
        return 0
    number = digits(written)
    usual = called == "card" or _USUAL.fullmatch(
        ",".join(str(len(group)) for group in _GROUP.findall(written))
    )
    if grouped or (usual and _NETWORK.fullmatch(number) and luhn.is_valid(number)):
        return 1.0
    return 0.9 if called == "card" and _plausible(written, len(number)) else 0


def _plausible(written: str, count: int) -> bool:
    """A number that words call a card: long enough, and on one line."""
    return count >= LEAST and "\n" not in written
