"""Bank accounts: IBANs by country and checksum, other account numbers by the words before them."""

import re
from collections.abc import Iterator
from typing import Any

from presidio_analyzer import RecognizerResult
from stdnum import iban

from .context import meaning
from .kind import KindRecognizer
from .runs import digits, parts, runs

LEAST, MOST = 6, 30
SHORTEST, LONGEST = 15, 34
# Every country's numbers have so many digits in their shortest beginning; a street and its town have not.
DIGITS_IN_SHORTEST = 6

# Parts of all words for an account, to be done soon with texts that have none.
_HINTS = (
    "iban",
    "acc",
    "a/c",
    "routing",
    "sort",
    "aba",
    "bsb",
    "konto",
    "账",
    "帐",
    "银行",
    "卡号",
    "开户",
    "汇款",
)
_AMOUNT = re.compile(r"\d+\.\d\d")
_ANY_DIGITS = re.compile(r"\d\d")
_IBAN_BEGINS = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ -]?\d{2}(?=[ -]{0,2}[A-Za-z0-9])")
_CHARACTER = re.compile(r"(?:[ -]|\s{1,2})?([A-Za-z0-9])")
_WORD_GOES_ON = re.compile(r"[A-Za-z0-9]")
_SAID_IBAN = re.compile(r"iban\W*(?:(?:number|no|nr|is|ist|est|是|为|:)\W*)*\Z", re.IGNORECASE)
# Whatever follows "my IBAN is".
_MISTYPED = re.compile(
    r"[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{2,4}){2,7}(?<=\d)(?:[ -]?[A-Za-z0-9]{1,3}(?![A-Za-z]))?"
)


class BankRecognizer(KindRecognizer):
    """The bank's own codes say nothing of a person, so only accounts are looked for."""

    kind = "BANK"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        if not _ANY_DIGITS.search(text):
            return []
        found = [RecognizerResult(self.kind, start, end, score) for start, end, score in _ibans(text)]
        return found + [RecognizerResult(self.kind, start, end, 0.85) for start, end in _accounts(text)]


def _ibans(text: str) -> Iterator[tuple[int, int, float]]:
    for match in _IBAN_BEGINS.finditer(text):
        end = _iban_ends(text, match.start())
        if end:
            yield match.start(), end, 1.0
        elif _SAID_IBAN.search(text, max(0, match.start() - 30), match.start()):
            mistyped = _MISTYPED.match(text, match.start())
            if mistyped:
                yield match.start(), mistyped.end(), 0.9


def _iban_ends(text: str, start: int) -> int | None:
    """Where the number that begins here fulfils its country's length and checksum; words may follow it."""
    number, place, end = "", start, None
    while len(number) < LONGEST and (match := _CHARACTER.match(text, place)):
        number, place = number + match[1], match.end()
        if len(number) == SHORTEST and sum(map(str.isdigit, number)) < DIGITS_IN_SHORTEST:
            break
        if len(number) >= SHORTEST and not _WORD_GOES_ON.match(text, place):
            end = place if iban.is_valid(number, check_country=False) else end
    return end


def _accounts(text: str) -> Iterator[tuple[int, int]]:
    """Yield numbers that words call a bank account, each as long as the line goes on with digits."""
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return
    for run in runs(text, LEAST):
        first = 0
        while first < len(run.groups):
            start = run.groups[first][0]
            for last in parts(run, first, LEAST, MOST):
                end = run.groups[last][1]
                number = text[start:end]
                if "\n" not in number and _is_account(text, start, end):
                    yield start, end
                    first = last
                    break
            first += 1


def _is_account(text: str, start: int, end: int) -> bool:
    number = text[start:end]
    return (
        not _AMOUNT.fullmatch(number)
        and LEAST <= len(digits(number)) <= MOST
        and meaning(text, start, end) == "bank"
    )
