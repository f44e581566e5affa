"""Rows of statements that are written out, as models: the ORM takes longer to put a statement together than
PostgreSQL to run it, which tells where every turn passes.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, models

Row = TypeVar("Row", bound=models.Model)


def columns(table: str, model: type[models.Model]) -> str:
    """What to select from a table, or its alias, for `made`."""
    return ", ".join(f'{table}."{name}"' for name in _names(model))


def made(model: type[Row], values: Iterator[Any]) -> Row:
    """A row of `model` from the next values, which its `columns` have brought."""
    names = _names(model)
    return model.from_db(DEFAULT_DB_ALIAS, names, [next(values) for _ in names])


@cache
def _names(model: type[models.Model]) -> list[str]:
    """Columns whose values are as the driver gives them; the others, JSON, are read if somebody asks."""
    return [f.attname for f in model._meta.concrete_fields if not isinstance(f, models.JSONField)]
