"""Days as they are written on a command line."""

from argparse import ArgumentTypeError
from datetime import date


def day(text: str) -> date:
    """Such as 2026-11-21."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day: write it as 2026-11-21") from None
