"""Move what DATA_KEYS seal to the newest of them, while the product runs.

A value is replaced only where it is still the one that was read, so that nobody's write is lost; what is
under the newest key already is left alone, so that a run that was cut short is simply begun again.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models, transaction

from accounts import sealing

BATCH = 200

# Sealed with DATA_KEYS themselves. A test compares both tables with the models.
UNDER_DATA_KEYS: dict[str, tuple[str, ...]] = {
    "accounts.Site": ("sealed_secret", "sealed_previous_secret"),
    "accounts.Customer": ("sealed_sub", "sealed_name", "sealed_email", "sealed_contact"),
    "accounts.DeploymentKey": ("wrapped",),
    "bot.Provider": ("sealed_key",),
    "bot.Conversation": ("wrapped_key",),
}
# Sealed with a key that is in the table above, or digests: they stay as they are.
UNDER_OTHER_KEYS: dict[str, tuple[str, ...]] = {
    "accounts.AuditEntry": ("sealed_reason", "digest"),
    "bot.Message": ("sealed", "sealed_comment"),
    "bot.VaultEntry": ("sealed", "digest"),
}


@dataclass
class Seen:
    """The values of one column: under which of DATA_KEYS they were (None: none of them), how many moved."""

    column: str
    by_key: Counter[int | None] = field(default_factory=Counter)
    moved: int = 0

    @property
    def total(self) -> int:
        return self.by_key.total()


def survey() -> Iterator[Seen]:
    """Column by column, which key opens how many values."""
    return _each_column(move=False)


def rotate() -> Iterator[Seen]:
    """Move every value to the newest key, and tell of each column when it is done."""
    return _each_column(move=True)


def _each_column(*, move: bool) -> Iterator[Seen]:
    for label, names in UNDER_DATA_KEYS.items():
        for name in names:
            seen = Seen(f"{label}.{name}")
            for rows in _pages(apps.get_model(label), name):
                _page(apps.get_model(label), name, rows, seen, move=move)
            yield seen


def _pages(model: type[models.Model], name: str) -> Iterator[list[tuple[Any, bytes]]]:
    """Rows with a value, by their keys: what others add or delete meanwhile does not matter."""
    rows = model._default_manager.exclude(**{name: b""}).order_by("pk").values_list("pk", name)
    page = list(rows[:BATCH])
    while page:
        yield page
        page = list(rows.filter(pk__gt=page[-1][0])[:BATCH])


def _page(
    model: type[models.Model], name: str, rows: list[tuple[Any, bytes]], seen: Seen, *, move: bool
) -> None:
    with transaction.atomic():
        for key, sealed in rows:
            place = sealing.opened_by(sealed)
            seen.by_key[place] += 1
            if move and place:
                as_it_was = model._default_manager.filter(pk=key, **{name: sealed})
                seen.moved += as_it_was.update(**{name: sealing.resealed(sealed)})
