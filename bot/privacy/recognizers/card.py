"""Payment card numbers: 13 to 19 digits, told by checksum, by grouping or by the words before them."""

import re
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

from .context import meaning

_CANDIDATE = re.compile(r"(?<![A-Za-z0-9_#])(?<![A-Za-z]-)[2-6](?:[ -]?\d){12,18}(?![A-Za-z0-9_]|-\d)")
_GROUPED = re.compile(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|3\d{3}([ -])\d{6}\2\d{5}")


class CardRecognizer(LocalRecognizer):
    """A mistyped card number is private too, so grouping or a card word makes up for the checksum."""

    def __init__(self) -> None:
        super().__init__(supported_entities=["CARD"])

    def load(self) -> None:
        pass

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        results = []
        for match in _CANDIDATE.finditer(text):
            score = _score(match[0], meaning(text, match.start(), match.end()))
            if score:
                results.append(RecognizerResult("CARD", match.start(), match.end(), score))
        return results


def _score(number: str, called: str | None) -> float:
    grouped = _GROUPED.fullmatch(number)
    if called == "id" and not grouped:
        return 0
    if luhn(number):
        return 1.0
    return 0.9 if grouped or called == "card" else 0


def luhn(number: str) -> bool:
    digits = [int(char) for char in reversed(number) if char.isdigit()]
    return sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0
