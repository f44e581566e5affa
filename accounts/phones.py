"""One phone number however it is written: with or without the country's code, spaces, zero or plus."""

import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import suppress

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber

# Where customers telephone, when a site names no regions.
REGIONS = ("US", "GB", "CN", "DE", "FR")


def significant(written: str, regions: Iterable[str]) -> str:
    """The number within its country: as the first region where it is valid reads it, or may be."""
    tried = list(_parsed(written, regions))
    for fits in (phonenumbers.is_valid_number, phonenumbers.is_possible_number):
        for number in tried:
            if fits(number):
                return str(phonenumbers.national_significant_number(number))
    return _digits(written)


def readings(written: str, regions: Iterable[str]) -> set[str]:
    """Everything `significant` may have made of this number, whatever the regions' order was."""
    parsed = _parsed(written, regions)
    return {phonenumbers.national_significant_number(number) for number in parsed} | {_digits(written)}


def _parsed(written: str, regions: Iterable[str]) -> Iterator[PhoneNumber]:
    """As an international number where it is one; else as each region's own, at last without its plus."""
    text = unicodedata.normalize("NFKC", written).strip()
    if text.startswith("00"):
        text = "+" + text[2:]
    international = text.startswith("+")
    for region in () if international else regions:
        yield from _parse(text, region)
    yield from _parse(text if international else "+" + text, None)


def _parse(text: str, region: str | None) -> Iterator[PhoneNumber]:
    with suppress(NumberParseException):
        yield phonenumbers.parse(text, region)


def _digits(written: str) -> str:
    """Bare digits without leading zeros."""
    return "".join(str(int(char)) for char in written if char.isdecimal()).lstrip("0")
