"""The shop's help articles and prepared answers, as files; the help pages and the assistant read the same."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LOCALES = ("en", "zh")
SLUGS = (
    "returns",
    "shipping-times",
    "order-changes",
    "payment",
    "warranty",
    "sizing",
    "gift-cards",
    "price-match",
    "tent-care",
    "boot-care",
    "store-hours",
    "contact",
)


PRIVACY = "privacy"  # a page of its own, which the assistant does not search


@dataclass(frozen=True)
class HelpArticle:
    """One help page in one language; `body` is markdown without its title line."""

    slug: str
    locale: str
    title: str
    body: str

    @property
    def path(self) -> str:
        """Its address within the shop, the language included."""
        return f"/help/{self.slug}/?lang={self.locale}"

    @property
    def summary(self) -> str:
        """Its first paragraph."""
        return self.body.strip().partition("\n\n")[0]


@dataclass(frozen=True)
class PreparedAnswer:
    """An answer with the questions it fits; `tool` is the read-only tool that goes with it, if any.

    Where an article says more, the answer only stands in for the model (`answers_first` is false).
    """

    title: str
    locale: str
    questions: tuple[str, ...]
    answer: str
    tool: str | None = None
    answers_first: bool = True


@cache
def article(slug: str, locale: str) -> HelpArticle:
    text = (HERE / "articles" / locale / f"{slug}.md").read_text("utf-8")
    first, _, body = text.partition("\n")
    return HelpArticle(slug, locale, first.removeprefix("# ").strip(), body.strip())


def articles() -> list[HelpArticle]:
    """Every article in every language."""
    return [article(slug, locale) for locale in LOCALES for slug in SLUGS]


def prepared_answers() -> list[PreparedAnswer]:
    rows: list[dict[str, Any]] = tomllib.loads((HERE / "data" / "canned.toml").read_text("utf-8"))["canned"]
    return [PreparedAnswer(**{**row, "questions": tuple(row["questions"])}) for row in rows]
