"""What detection has to know of a site: which numbers are its own, and where its customers telephone."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import regex

# Order numbers such as HP-10423 and #W2378156 are what a shop's bot lives on.
SHOP_IDS = (
    r"(?<![A-Za-z0-9])[A-Z]{1,4}-\d{3,9}(?![\d-])",
    r"#[A-Za-z]{0,3}-?\d{3,12}(?!\d)",
    r"(?<![A-Za-z0-9])[A-Z]{1,3}\d{4,9}(?!\d)",
)
REGIONS = ("US", "GB", "CN", "DE", "FR")
# A pattern that somebody wrote badly must not hold up every customer of the deployment.
PATTERN_SECONDS = 0.1


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
    try:
        found = _compiled(pattern).finditer(text, timeout=PATTERN_SECONDS)
        return [match.span() for match in found if match.end() > match.start()]
    except TimeoutError:
        return []


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> "regex.Pattern[str]":
    return regex.compile(pattern)
