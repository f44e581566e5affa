"""The form in which an alert is told."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Said:
    """One alert in words; `page` is where to look first: a list of the admin, once said its address."""

    title: str
    measured: str
    bound: str
    meaning: str
    look: str
    page_title: str
    page: str
    # Where else to go: a title and an address each.
    links: tuple[tuple[str, str], ...] = ()
    # Whether its end is worth an e-mail.
    over: bool = True


def address(page: str, **query: str) -> str:
    """The full address of a list in the admin."""
    query_string = f"?{urlencode(query)}" if query else ""
    return f"{settings.PUBLIC_URL}{reverse(f'admin:{page}_changelist')}{query_string}"


def row(page: str, key: int | str) -> str:
    """The full address of one row in the admin."""
    return f"{settings.PUBLIC_URL}{reverse(f'admin:{page}_change', args=[key])}"
