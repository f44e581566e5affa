"""Network addresses, version 4 and 6, told from version numbers and times."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from presidio_analyzer import RecognizerResult

from .kind import KindRecognizer

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_V4 = re.compile(
    rf"(?<![A-Za-z0-9_.$€£¥])(?<!\d[,-])({_OCTET}(?:\.{_OCTET}){{3}})(?:/\d{{1,2}}|:\d{{1,5}})?"
    r"(?![A-Za-z0-9_]|\.\d|-\d)"
)
_V6 = re.compile(
    r"(?<![A-Za-z0-9_:.])(?=[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:)[0-9A-Fa-f:]{4,39}(?:\.\d{1,3}){0,3}(?![A-Za-z0-9_])"
)
_V6_TAIL = re.compile(r"%[A-Za-z0-9]{1,15}|/\d{1,3}")
_VERSION = re.compile(
    r"(?:(?<![a-z])(?:version|ver\.?|v|firmware|software|build|release|update[ds]?(?: to)?|ios|android|chrome"
    r"|safari|firefox|edge|windows|macos|app|driver|section|chapter|step)|版本|固件|软件|系统|更新到|升级到)[\s:号为是到]{0,3}\Z",
    re.IGNORECASE,
)
# A clock shows "10:30:45"; an address of six parts and more does not.
_DIGIT = re.compile(r"\d")


class IpRecognizer(KindRecognizer):
    """Who has an address at a time can be asked of a provider, so it is private."""

    kind = "IP"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        found = (*_fours(text), *_sixes(text))
        return [RecognizerResult(self.kind, start, end, 0.95) for start, end in found]


def _fours(text: str) -> Iterator[tuple[int, int]]:
    if text.count(".") < 3:
        return
    for match in _V4.finditer(text):
        if not _VERSION.search(text, max(0, match.start() - 20), match.start()):
            yield match.span()


def _sixes(text: str) -> Iterator[tuple[int, int]]:
    if text.count(":") < 2:
        return
    for match in _V6.finditer(text):
        written = match[0][:-1] if match[0].endswith(":") and not match[0].endswith("::") else match[0]
        if _DIGIT.search(written) and _is_six(written):
            end = match.start() + len(written)
            tail = _V6_TAIL.match(text, end)
            yield match.start(), tail.end() if tail else end


def _is_six(written: str) -> bool:
    try:
        ipaddress.IPv6Address(written)
    except ValueError:
        return False
    return True
