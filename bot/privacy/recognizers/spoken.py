"""Numbers in words: "four one one dash", "double five", "138 then 1234", "一三八零零", "两个零"."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from presidio_analyzer import LocalRecognizer, RecognizerResult

_NUMERALS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ENGLISH = dict(zip(_NUMERALS, "0123456789", strict=True))
_DIGIT_OF = (
    _ENGLISH
    | {"oh": "0", "o": "0", "nought": "0", "幺": "1", "两": "2"}
    | dict(zip("零一二三四五六七八九", "0123456789", strict=True))
    | dict(zip("〇壹贰叁肆伍陆柒捌玖", "0123456789", strict=True))
)
_TIMES = {"double": 2, "triple": 3, "两": 2, "二": 2, "2": 2, "三": 3, "3": 3, "四": 4, "4": 4}

_WORD = rf"(?:{'|'.join(sorted((w for w in _DIGIT_OF if w.isascii()), key=len, reverse=True))})(?![A-Za-z])"
_SIGN = "[零一二三四五六七八九〇壹贰叁肆伍陆柒捌玖幺两]"
_TOKEN = (
    rf"(?:(?<![A-Za-z])(?P<times>double|triple)[\s-]?(?P<doubled>{_WORD}|\d)"
    rf"|(?P<count>[两二三四234])个(?P<counted>{_SIGN}|\d)"
    rf"|(?<![A-Za-z])(?P<word>{_WORD})|(?P<sign>{_SIGN})|(?P<digits>\d+))"
)
_SAID_GAP = (
    r"(?:(?<![A-Za-z])(?:and then|then|dash|hyphen|minus|dot|point|space|slash)(?![A-Za-z])"
    r"|横?杠|点|空格|然后|再|减)"
)
_GAP = rf"[\s,.\-–、]{{0,3}}(?:{_SAID_GAP}[\s,.\-–、]{{0,3}})?"
_TOKENS = re.compile(_TOKEN, re.IGNORECASE)
_RUN = re.compile(re.sub(r"\?P<\w+>", "?:", rf"{_TOKEN}(?:{_GAP}{_TOKEN})+"), re.IGNORECASE)
_HAS_SAID_GAP = re.compile(_SAID_GAP, re.IGNORECASE)
# A cheap look before the long one.
_NUMERAL = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_HINT = re.compile(
    rf"{_SIGN}{{3}}|个[零〇一二三四五六七八九\d]|\d\W{{0,3}}{_SAID_GAP}\W{{0,3}}\d"
    rf"|{_NUMERAL}[\s,.-]+(?:{_NUMERAL}|o|dash|dot|hyphen|\d)(?![a-z])"
)
LEAST_DIGITS, LEAST_WORDS = 4, 3


class SpokenNumberRecognizer(LocalRecognizer):
    """Wraps the recognizers of numbers: writes words as digits, asks them, and says where the words were."""

    def __init__(self, recognizers: Sequence[LocalRecognizer]) -> None:
        kinds = sorted({kind for recognizer in recognizers for kind in recognizer.supported_entities})
        super().__init__(supported_entities=kinds)
        self._recognizers = recognizers

    def load(self) -> None:
        pass

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        runs = list(_runs(text)) if _HINT.search(text.lower()) else []
        if not runs:
            return []
        written, places = _write(text, runs)
        return [
            RecognizerResult(found.entity_type, start, end, min(1.0, found.score + 0.05))
            for recognizer in self._recognizers
            for found in recognizer.analyze(written, entities, nlp_artifacts)
            for start, end in [(places[found.start][0], places[found.end - 1][1])]
            if any(start < run[1] and run[0] < end for run in runs)
        ]


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield where digits are told in enough words to be no mere counting of things."""
    for match in _RUN.finditer(text):
        tokens = list(_TOKENS.finditer(text, *match.span()))
        words = sum(token["digits"] is None for token in tokens)
        repeated = any(token["times"] or token["count"] for token in tokens)
        digits = sum(len(_digits(token)) for token in tokens)
        told = words >= LEAST_WORDS or repeated or _HAS_SAID_GAP.search(match[0])
        if told and digits >= LEAST_DIGITS:
            yield match.span()


def _digits(token: re.Match[str]) -> str:
    if token["digits"]:
        return token["digits"]
    single = token["word"] or token["sign"] or token["doubled"] or token["counted"]
    digit = _DIGIT_OF.get(single.lower(), single)
    return (
        digit * _TIMES[(token["times"] or token["count"] or "").lower()]
        if token["times"] or token["count"]
        else digit
    )


def _write(text: str, runs: Sequence[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """The text with its runs in digits, and for each of its characters where it came from."""
    pieces: list[tuple[str, int, int]] = []
    done = 0
    for start, end in runs:
        pieces += [(text[at], at, at + 1) for at in range(done, start)]
        last = None
        for token in _TOKENS.finditer(text, start, end):
            if last is not None and (gap := _gap(text[last.end() : token.start()], last, token)):
                pieces.append((gap, last.end(), token.start()))
            pieces += [(digit, *token.span()) for digit in _digits(token)]
            last = token
        done = end
    pieces += [(text[at], at, at + 1) for at in range(done, len(text))]
    return "".join(char for char, _, _ in pieces), [(start, end) for _, start, end in pieces]


def _gap(written: str, before: re.Match[str], after: re.Match[str]) -> str:
    """Between words a blank says nothing; whatever else stands between digits groups them."""
    if _HAS_SAID_GAP.search(written) or written.strip():
        return "-"
    return " " if written and (before["digits"] or after["digits"]) else ""
