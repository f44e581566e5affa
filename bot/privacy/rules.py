"""What detection has to know of a site: which numbers are its own, and where its customers telephone."""

from collections.abc import Sequence
from typing import NamedTuple

# Order numbers such as HP-10423 and #W2378156 are what a shop's bot lives on.
SHOP_IDS = (
    r"(?<![A-Za-z0-9])[A-Z]{1,4}-\d{3,9}(?![\d-])",
    r"#[A-Za-z]{0,3}-?\d{3,12}(?!\d)",
    r"(?<![A-Za-z0-9])[A-Z]{1,3}\d{4,9}(?!\d)",
)
REGIONS = ("US", "GB", "CN", "DE", "FR")


class Rules(NamedTuple):
    """Sent to the detecting process with every call."""

    # Regular expressions of numbers that are the site's own and never private.
    ids: tuple[str, ...]
    # Regions whose phone numbers are written without a country code.
    regions: tuple[str, ...]


def of(ids: Sequence[str] = (), regions: Sequence[str] = ()) -> Rules:
    """What a site has set, beside what holds for every shop; the usual regions where it names none."""
    return Rules((*SHOP_IDS, *ids), tuple(regions) or REGIONS)
