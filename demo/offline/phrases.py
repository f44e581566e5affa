"""What the stand-in model recognises and says, one table a language (en.toml, zh.toml)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh")
TABLES: dict[str, dict[str, Any]] = {
    language: tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text("utf-8"))
    for language in LANGUAGES
}
STOP_WORDS = {language: frozenset(table["stop_words"].split()) for language, table in TABLES.items()}


def saying(language: str, key: str, **values: str) -> str:
    return str(TABLES[language]["sayings"][key]).format(**values)


def order_line(language: str, key: str, **values: str) -> str:
    return str(TABLES[language]["orders"][key]).format(**values)


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern of that name fits the text in any of the languages."""
    return any(_fits(table[pattern], text) for table in TABLES.values())


def kind_of(group: str, text: str) -> str | None:
    """The first entry of a group of patterns (`wishes`, `small_talk`) that the text fits."""
    for kind in TABLES["en"][group]:
        if any(_fits(pattern, text) for table in TABLES.values() for pattern in table[group][kind]):
            return str(kind)
    return None


def joined(language: str, lines: list[str]) -> str:
    return str(TABLES[language]["space"]).join(line for line in lines if line)


def enumerated(language: str, values: list[str]) -> str:
    if len(values) < 2:
        return "".join(values)
    table = TABLES[language]
    return str(table["comma"].join(values[:-1]) + table["and"] + values[-1])


def _fits(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE | re.DOTALL) is not None
