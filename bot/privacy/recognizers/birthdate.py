"""Dates of birth: a date is private only where words say that somebody was born then."""

import re
from collections.abc import Iterator
from typing import Any

from presidio_analyzer import RecognizerResult

from .kind import KindRecognizer

# Beside English the months of German, French, Spanish and Italian: a word of birth stands before them anyway.
_MONTH = (
    r"(?:jan|ene|gen|feb|fév|f[ée]v|m[aäá]r|apr|a[bv]r|ma[iygo]|ju[nil]|giu|lug|aug|ao[uû]|ago|sep|set|o[ck]t|ott"
    r"|nov|de[czs]|déc|dic)[a-zéèû]{0,8}\.?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th|er|\.)?"
_YEAR = r"(?:(?:1[89]|20)\d{2})"
_SHORT_YEAR = rf"(?:{_YEAR}|['’]?\d{{2}})"
_DATE = re.compile(
    rf"(?<![A-Za-z0-9])(?:{_YEAR}\s?[-/.年]\s?\d{{1,2}}\s?[-/.月]\s?\d{{1,2}}(?:\s?[日号])?"
    rf"|\d{{1,2}}\s?[-/. ]\s?\d{{1,2}}\s?[-/. ]\s?{_SHORT_YEAR}"
    rf"|{_DAY}(?: of| de)?[\s-]{_MONTH},?(?: de)?[\s-]{_SHORT_YEAR}|{_MONTH}\s{_DAY},?\s{_SHORT_YEAR}"
    rf"|{_YEAR}\s{_MONTH}\s{_DAY}|{_YEAR}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])|[0-3]\d[0-3]\d{_YEAR}"
    rf"|\d{{2}}\s?年\s?\d{{1,2}}\s?月(?:\s?\d{{1,2}}\s?[日号])?|{_YEAR}\s?年(?:\s?\d{{1,2}}\s?月)?|{_MONTH}\s{_YEAR}"
    rf"|{_YEAR}[-/.]\d{{1,2}})"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_BORN_IN = re.compile(rf"(?<![a-z])(?:was|were|am|is|'m) born in ({_YEAR})(?!\d)", re.IGNORECASE)
_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:born(?: on| in)?|d\.?o\.?b\.?|birth ?dates?|dates? of birth"
    r"|birth ?days? ?(?:is|was|'s|’s|are|:|=|\()"
    r"|geboren(?: am)?|geburtsdatum|n[ée]e? le|date de naissance|nacid[oa] el|fecha de nacimiento)"
    r"|出生(?:日期|年月日?|于|在)?|生日(?!礼|蛋糕|快乐|派对|当?天|贺卡)|生于)",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"[\s,()]{0,3}(?:(?:is|was|as|are)\s(?:my|his|her|our|their|the)\s(?:date of birth|birth ?da(?:y|te)|dob)"
    r"|出生|生的?|是我的?生日|[(]?dob)",
    re.IGNORECASE,
)
_HINTS = (
    "birth",
    "born",
    "dob",
    "d.o.b",
    "naissance",
    "née",
    "né ",
    "ne le",
    "nacid",
    "nacim",
    "gebor",
    "geburt",
    "生",
)
REACH = 45


class BirthdateRecognizer(KindRecognizer):
    """Plain dates stay: a shop's bot lives on when things were bought and sent."""

    kind = "BIRTHDATE"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        lower = text.lower()
        if not any(hint in lower for hint in _HINTS):
            return []
        return [RecognizerResult(self.kind, start, end, 0.85) for start, end in _births(text)]


def _births(text: str) -> Iterator[tuple[int, int]]:
    yield from (match.span(1) for match in _BORN_IN.finditer(text))
    for match in _DATE.finditer(text):
        if _told_before(text, match.start()) or _AFTER.match(text, match.end()):
            yield match.span()


def _told_before(text: str, start: int) -> bool:
    """The nearest word speaks of birth, and no other date has used it up."""
    begin = max(0, start - REACH)
    said = None
    for said in _BEFORE.finditer(text, begin, start):  # noqa: B007  only the last one is wanted
        pass
    return said is not None and not _DATE.search(text, said.end(), start)
