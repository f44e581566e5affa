"""What it takes to answer a question, told from its words alone: no network, no model, no database.

It errs towards the larger class: an easy question that a large model answers costs cents, a hard one that a
small model answers costs a customer.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from bot.knowledge import terms

# Why a question needs more than the smallest class: what is asked for, how it is said, what went before.
Job: TypeAlias = Literal["wish", "many_steps", "steps", "conditions", "sums", "figures", "tools", "weighs"]
Manner: TypeAlias = Literal["unhappy", "several", "long", "language"]
Before: TypeAlias = Literal["failed", "disliked", "again", "goes_on"]
Sign: TypeAlias = Job | Manner | Before
SIGNS: tuple[Sign, ...] = (*get_args(Job), *get_args(Manner), *get_args(Before))

# From so many words on a question is long; a Chinese word has one and a half characters.
LONG = 40
# Questions in one message from which on a small model forgets some of them.
SEVERAL = 3
# Changes asked for at once from which on they depend on each other.
MANY_STEPS = 3
# Of a long text its beginning and its end are read.
READ = 400
# Words of a language that may be English without one that English sentences have.
ENGLISH = 5

_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
_FOREIGN = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+")
_SENTENCE = re.compile(r"[^?？]*[?？]")
_NUMBER_OF_THEIRS = re.compile(
    r"#\s?\w*\d{4,}|(?<![A-Za-z])[A-Za-z]{1,4}-?\d{5,}|(?<![\d.,])\d{6,}(?![\d.,])"
)
_FIGURE = re.compile(
    r"\d+|[一二两三四五六七八九十百千万]+(?=[个人天元块顶件双只款])|\b(?:two|three|four|five|six|ten)\b",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"<[A-Z_]+_\d+>")
_POSSESSIVE = re.compile(r"\b(?:my|our)\b|我的|我们的|我这|咱", re.IGNORECASE)

_PATTERNS = tomllib.loads((Path(__file__).parent / "difficulty.toml").read_text("utf-8"))


def _pattern(of: str) -> re.Pattern[str]:
    words = _PATTERNS[of]
    return re.compile(rf"\b(?:{'|'.join(words['en'])})\b|{'|'.join(words['zh'])}", re.IGNORECASE)


_WISH, _NO_WISH, _SUMS, _WEIGHS = map(_pattern, ("wish", "no_wish", "sums", "weighs"))
_UNHAPPY, _OWN, _ACTIONS, _CONDITIONS = map(_pattern, ("unhappy", "own", "actions", "conditions"))
_COURTESY = _pattern("courtesy")
_PLAIN = frozenset(word for some in _PATTERNS["plain"]["en"] for word in terms.words(some))
_ENGLISH = frozenset(_PATTERNS["english"]["en"])


@dataclass(frozen=True)
class Need:
    """The least class that can do the job, and by which signs."""

    signs: tuple[Sign, ...] = ()

    @property
    def model_class(self) -> str:
        if "wish" in self.signs or self._depends:
            return "reasoning"
        return "large" if self.signs else "small"

    @property
    def wished(self) -> bool:
        """The customer has asked for more thought."""
        return "wish" in self.signs

    @property
    def _depends(self) -> bool:
        """Many steps, steps of which one depends on another, or figures to be worked out from others."""
        signs = set(self.signs)
        worked_out = "sums" in signs and len(signs) > 1
        return worked_out or "many_steps" in signs or {"steps", "conditions"} <= signs

    def with_signs(self, more: Iterable[Sign]) -> "Need":
        known = {*self.signs, *more}
        return replace(self, signs=tuple(sign for sign in SIGNS if sign in known))


@dataclass(frozen=True)
class Thing:
    """A tool that may be used for the customer: what it is called, and whether it is about what is theirs."""

    name: str
    description: str
    verified: bool


def of(question: str, tools: frozenset[Thing] = frozenset()) -> Need:
    """What a question takes where these tools are offered beside those that every site has."""
    text = question if len(question) <= 2 * READ else f"{question[:READ]}\n{question[-READ:]}"
    text = _PLACEHOLDER.sub(" ", text)
    found: list[Sign] = []
    if _WISH.search(text) and not _NO_WISH.search(text):
        found.append("wish")
    found += _of_work(text)
    if tools and _needs_tools(text, tools):
        found.append("tools")
    if _UNHAPPY.search(text):
        found.append("unhappy")
    if len(_SENTENCE.findall(text)) >= SEVERAL:
        found.append("several")
    if size(question) >= LONG:
        found.append("long")
    if _is_foreign(text):
        found.append("language")
    return Need().with_signs(found)


def is_courtesy(text: str) -> bool:
    """Whether it is thanks, a greeting or a farewell."""
    return _COURTESY.search(text) is not None


def size(text: str) -> float:
    """How many words it has, in whatever language."""
    han = len(terms.HAN.findall(text))
    return len(_WORD.findall(terms.HAN.sub(" ", text))) + han / 1.5


def _of_work(text: str) -> Iterable[Sign]:
    actions = {match.group().lower()[:5] for match in _ACTIONS.finditer(text)}
    if len(actions) > 1:
        yield "many_steps" if len(actions) >= MANY_STEPS else "steps"
    if _CONDITIONS.search(text) and actions:
        yield "conditions"
    if _SUMS.search(text):
        yield "sums"
        if len(_FIGURE.findall(text)) > 1:
            yield "figures"
    if _WEIGHS.search(text):
        yield "weighs"


def _needs_tools(text: str, tools: frozenset[Thing]) -> bool:
    """Whether something of the customer's own is meant, or what a tool is called after."""
    if any(tool.verified for tool in tools) and (_OWN.search(text) or _NUMBER_OF_THEIRS.search(text)):
        return True
    asked = set(terms.words(text))
    theirs = _POSSESSIVE.search(text) is not None
    return any(asked & _named(tool) for tool in tools if theirs or not tool.verified)


@lru_cache(maxsize=200)
def _named(tool: Thing) -> frozenset[str]:
    """What a tool is called after; of what is said in Chinese about it, everything."""
    words = {*terms.words(tool.name.replace("_", " ")), *_chinese(tool.description)}
    return frozenset(words - _PLAIN)


def _chinese(text: str) -> list[str]:
    return [word for word in terms.words(text) if terms.HAN.match(word)]


def _is_foreign(text: str) -> bool:
    """Whether its language is one of which nothing is known here: not Chinese, nor by its words English."""
    if _FOREIGN.search(text):
        return True
    letters = _LETTER.findall(text)
    known = sum(bool(_LATIN.match(letter) or terms.HAN.match(letter)) for letter in letters)
    if known * 2 < len(letters):
        return True
    words = [word.lower() for word in _WORD.findall(text)]
    return not terms.HAN.search(text) and len(words) >= ENGLISH and not _ENGLISH & {*words}
