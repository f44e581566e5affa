"""What detection has to know of a site: which numbers are its own, and where its customers telephone."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex

from accounts.phones import REGIONS

# "Passport AB123456" and "phone #2125551234" look like orders, but words before them say that they are none.
_PRIVATE_WORDS = (
    "passport|licen[cs]e|ssn|national|insurance|identity|tax|dni|nie|iban|account|acct|routing|password|passcode"
    "|pass|pin|code|phone|mobile|cell|tel|fax|whatsapp|card|护照|驾照|证|密码|验证码|电话|手机|微信|卡号|账号|账户"
)
_NOT_PRIVATE = rf"(?<!(?i:{_PRIVATE_WORDS})(?i:[ '.:#是为号码s]|number|nr|no|is|was){{0,6}})"
_NOT_MINE = r"(?!\W{0,3}(?:is|是)\W?(?:my|我))"
# Order numbers such as HP-10423 and #W2378156 are what a shop's bot lives on.
SHOP_IDS = (
    rf"(?<![A-Za-z0-9])(?=[A-Z]{{1,4}}-\d{{3}}){_NOT_PRIVATE}[A-Z]{{1,4}}-\d{{3,9}}(?![A-Za-z0-9-])",
    rf"(?=#){_NOT_PRIVATE}#[A-Za-z]{{0,3}}-?\d{{3,12}}(?![A-Za-z0-9])",
    rf"(?<![A-Za-z0-9])(?=[A-Z]{{1,3}}\d{{4}}){_NOT_PRIVATE}[A-Z]{{1,3}}\d{{4,9}}(?![A-Za-z0-9]){_NOT_MINE}",
)
# A pattern that somebody wrote badly must not hold up every customer of the deployment.
PATTERN_SECONDS = 0.1
# After so many delays it is asked no more while the process lives: what it stood for may be masked then.
DELAYS = 3

logger = logging.getLogger(__name__)
_delays: Counter[str] = Counter()


class Rules(NamedTuple):
    """Sent to the detecting process with every call."""

    # Regular expressions of numbers that are the site's own and never private.
    ids: tuple[str, ...]
    # Regions whose phone numbers are written without a country code.
    regions: tuple[str, ...]
    # Kinds that the site shows as they are.
    kept: frozenset[str] = frozenset()

    def own(self, text: str) -> list[tuple[int, int]]:
        """Where the site's own numbers stand; a pattern that takes too long finds nothing."""
        return [place for pattern in self.ids for place in _places(pattern, text)]


def of(ids: Sequence[str] = (), regions: Sequence[str] = (), kept: Iterable[str] = ()) -> Rules:
    """What a site has set, beside what holds for every shop; the usual regions where it names none."""
    return Rules((*SHOP_IDS, *ids), tuple(regions) or REGIONS, frozenset(kept))


def _places(pattern: str, text: str) -> list[tuple[int, int]]:
    if _delays[pattern] >= DELAYS:
        return []
    try:
        found = _compiled(pattern).finditer(text, timeout=PATTERN_SECONDS)
        return [match.span() for match in found if match.end() > match.start()]
    except TimeoutError:
        _delays[pattern] += 1
    except regex.error:
        _delays[pattern] = DELAYS
    if _delays[pattern] == DELAYS:
        logger.error("a site's pattern for its own numbers is left out, for it is wrong or slow: %s", pattern)
    return []


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> "regex.Pattern[str]":
    return regex.compile(pattern)
