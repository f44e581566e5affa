"""The shop's words, one table a language (words/en.toml, words/zh.toml), and how it writes dates."""

import tomllib
from datetime import date
from functools import cache
from pathlib import Path

from django.utils import formats, translation

LOCALES = ("en", "zh")
DJANGO_LANGUAGE = {"en": "en", "zh": "zh-hans"}


@cache
def words(locale: str) -> dict[str, str]:
    """Every word of one language; any other language reads English."""
    known = locale if locale in LOCALES else "en"
    path = Path(__file__).parent / "words" / f"{known}.toml"
    return {key: str(value) for key, value in tomllib.loads(path.read_text("utf-8")).items()}


def say(locale: str, key: str, **values: object) -> str:
    return words(locale)[key].format(**values)


def date_in(locale: str, day: date) -> str:
    """`Tuesday, November 24`, or `11月24日（星期二）`."""
    pattern = "n月j日（l）" if locale == "zh" else "l, F j"
    with translation.override(DJANGO_LANGUAGE.get(locale, "en")):
        return formats.date_format(day, pattern)
