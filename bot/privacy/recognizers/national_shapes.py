"""What the numbers look like that states give people, and the checksum of each where it has one."""

import re
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from stdnum.be import nn
from stdnum.br import cpf
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.ie import pps
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.pl import pesel
from stdnum.se import personnummer


class Shape(NamedTuple):
    """A way of writing, what its digits have to fulfil, and how certain it is then."""

    pattern: re.Pattern[str]
    good: Callable[[str], bool]
    score: float


def _any(number: str) -> bool:
    return True


def _chinese(number: str) -> bool:
    """Place, date of birth, three digits, a check character: a date of birth says enough."""
    compact = re.sub(r"\s", "", number)
    try:
        born = date(int(compact[6:10]), int(compact[10:12]), int(compact[12:14]))
    except ValueError:
        return False
    return 1900 <= born.year <= 2100 and compact[0] in "12345689"


def _british(number: str) -> bool:
    return number[:2].upper() not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")


def _shape(pattern: str, good: Callable[[str], bool] = _any, score: float = 0.9) -> Shape:
    return Shape(
        re.compile(rf"(?<![A-Za-z0-9_@#$€£¥.-])(?:{pattern})(?![A-Za-z0-9_@]|[.,-]\d)", re.I), good, score
    )


_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0[1-9]|1[0-2])"

# Those of eleven bare digits come last: an order may have as many and pass a checksum of one digit.
SHAPES = (
    # United States: social security and taxpayer's number.
    _shape(r"\d{3}[-–]\d{2}[-–]\d{4}"),
    # China.
    _shape(r"[1-9](?:\s?\d){16}\s?[\dX]", _chinese, 0.95),
    # United Kingdom: national insurance.
    _shape(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D]", _british),
    # Spain.
    _shape(r"\d{8}[ -]?[A-Z]", dni.is_valid),
    _shape(r"[XYZ][ -]?\d{7}[ -]?[A-Z]", nie.is_valid),
    # Italy.
    _shape(r"[A-Z]{3} ?[A-Z]{3} ?\d[\dLMNP-V][A-Z]\d[\dLMNP-V] ?[A-Z]\d{3} ?[A-Z]", codicefiscale.is_valid),
    # France.
    _shape(r"[12][ .]?\d{2}[ .]?\d{2}[ .]?(?:\d{2}|2[AB])[ .]?\d{3}[ .]?\d{3}[ .]?\d{2}", nir.is_valid),
    # Belgium.
    _shape(r"\d{2}\.\d{2}\.\d{2}[ -]\d{3}\.\d{2}", nn.is_valid),
    # Sweden.
    _shape(rf"(?:19|20)?\d{{2}}{_MONTH}{_DAY}[-+]\d{{4}}", personnummer.is_valid),
    # Finland.
    _shape(rf"{_DAY}{_MONTH}\d{{2}}[-+A-FU-Y]\d{{3}}[0-9A-Y]", hetu.is_valid),
    # Denmark has given up its checksum, so the word has to be there; Czechia and Slovakia.
    _shape(r"\d{6}/\d{3,4}", rc.is_valid),
    # Ireland.
    _shape(r"\d{7}[A-W][A-IW]?", pps.is_valid),
    # Brazil.
    _shape(r"\d{3}\.\d{3}\.\d{3}-\d{2}", cpf.is_valid),
    # Korea.
    _shape(rf"\d{{2}}{_MONTH}{_DAY}-[1-8]\d{{6}}", rrn.is_valid),
    # Germany, Poland, Belgium without dots.
    _shape(r"[1-9]\d ?\d{3} ?\d{3} ?\d{3}", idnr.is_valid, 0.7),
    _shape(r"\d{11}", pesel.is_valid, 0.7),
    _shape(r"\d{11}", nn.is_valid, 0.7),
)
