"""What looking at a rule came to."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reading:
    """One rule about one subject. What is neither `crossed` nor `back` leaves an alert as it is."""

    subject: str
    value: float
    bound: float
    crossed: bool
    back: bool
    # What the words name beside the value; with `told_with`, another alert's e-mail tells of it.
    facts: dict[str, Any] = field(default_factory=dict)
    # The subject names its window, and is crossed once for good.
    once: bool = False
