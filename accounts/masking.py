"""The kinds of private values and what a site may do with each."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

# mask: models and staff see a placeholder. keep: they see the value.
# refuse: the customer is asked not to send such a thing, and it is dropped.
Action: TypeAlias = Literal["mask", "keep", "refuse"]
ACTIONS: tuple[Action, ...] = ("mask", "keep", "refuse")


class Kind(NamedTuple):
    """A kind of private values as an admin reads of it."""

    label: str
    example: str
    usual: Action = "mask"


# No shop needs a card number or a password in a chat, and what is not there cannot be stolen.
KINDS: Mapping[str, Kind] = {
    "EMAIL": Kind("E-mail addresses", "alice@example.com"),
    "PHONE": Kind("Phone numbers", "+1 212 555 0123, 138 1234 5678"),
    "CARD": Kind("Payment cards", "4111 1111 1111 1111", "refuse"),
    "BANK": Kind("Bank accounts", "DE89 3704 0044 0532 0130 00"),
    "NATIONAL_ID": Kind("Identity papers", "123-45-6789, AB 12 34 56 C"),
    "IP": Kind("IP addresses", "203.0.113.7"),
    "PERSON": Kind("Names of people", "Alice Miller, 王小明"),
    "ADDRESS": Kind("Street addresses", "12 Harbor Street; a city alone is kept"),
    "BIRTHDATE": Kind("Dates of birth", "born 2 May 1990; other dates are kept"),
    "SECRET": Kind("Passwords and codes", "passwords, API keys, one-time codes", "refuse"),
    "PRIVATE": Kind("What tools declare private", "fields of tools' results that belong to no other kind"),
}
DEFAULTS: Mapping[str, Action] = {kind: facts.usual for kind, facts in KINDS.items()}


def choices(kind: str) -> tuple[Action, ...]:
    """What a site may do with a kind; what its own tools declare private stays private."""
    return ("mask",) if kind == "PRIVATE" else ACTIONS
