"""Rows of statements that are written out, as models: the ORM takes longer to put a statement together than
PostgreSQL to run it, which tells where every turn passes.
"""

import json
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
    row = model.from_db(DEFAULT_DB_ALIAS, names, [next(values) for _ in names])
    for name in _json(model):
        # The driver brings JSON as it is written.
        value = getattr(row, name)
        setattr(row, name, None if value is None else json.loads(value))
    return row


@cache
def _names(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


@cache
def _json(model: type[models.Model]) -> list[str]:
    return [f.attname for f in model._meta.concrete_fields if isinstance(f, models.JSONField)]
