"""What it takes to answer a question, told from its words alone: no network, no model, no database.

It errs towards the larger class: an easy question that a large model answers costs cents, a hard one that a
small model answers costs a customer.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from bot.knowledge import terms
from bot.privacy.placeholders import PLACEHOLDER

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
# Words of the longest question that anybody might ask, and of the longest thanks.
GENERAL, COURTESY = 25, 8
# Of a long text its beginning and its end are read.
READ = 300
# A text of so many Latin words, none of which is among the commonest English ones, is not English.
ENGLISH = 5

_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
_FOREIGN = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+")
_SENTENCE = re.compile(r"[.!?,;:\n]+\s*|\b(?:and|so|but|hi|hello|hey|please|ok|sorry|excuse me)\b\s*")
# What is asked for: a question mark, or a clause that begins as questions do before another one.
_ASKED = re.compile(
    r"[?？]+|(?:, (?:and )?| and )(?=(?:what|how|when|where|why|who|which|do|is|can)\b)|[,，](?=[多哪怎])",
    re.IGNORECASE,
)
# Numbers as orders have them, and what was masked: both are somebody's.
_THEIRS = re.compile(
    r"#\s?\w*\d{4,}|(?<![A-Za-z])[A-Za-z]{1,4}-?\d{5,}|(?<![\d.,])\d{6,}(?![\d.,])|" + PLACEHOLDER.pattern
)
_FIGURE = re.compile(
    r"\d+|[一二两三四五六七八九十百千万]+(?=[个人天元块顶件双只款])|\b(?:two|three|four|five|six|ten)\b",
    re.IGNORECASE,
)
_POSSESSIVE = re.compile(r"\b(?:my|our)\b|我的|我们的|我这|咱", re.IGNORECASE)

_PATTERNS = tomllib.loads((Path(__file__).parent / "difficulty.toml").read_text("utf-8"))


class _Pattern:
    """Patterns of both languages; each is looked for where letters of its language are."""

    def __init__(self, of: str) -> None:
        words = _PATTERNS[of]
        self._english = re.compile(rf"\b(?:{'|'.join(words['en'])})\b", re.IGNORECASE)
        self._chinese = re.compile("|".join(words["zh"]))

    def all(self, text: str) -> Iterator[str]:
        if _LATIN.search(text):
            yield from (match.group().lower() for match in self._english.finditer(text))
        if terms.HAN.search(text):
            yield from (match.group() for match in self._chinese.finditer(text))

    def in_(self, text: str) -> bool:
        return next(self.all(text), None) is not None

    def begins(self, text: str) -> bool:
        """Whether a sentence begins so; in Chinese, which asks at the end, whether it is anywhere."""
        if terms.HAN.search(text) and self._chinese.search(text):
            return True
        return any(self._english.match(sentence) for sentence in _SENTENCE.split(terms.bare(text)))

    def without(self, text: str) -> str:
        return self._chinese.sub(" ", self._english.sub(" ", text))


_WISH, _NO_WISH, _SUMS, _WEIGHS = map(_Pattern, ("wish", "no_wish", "sums", "weighs"))
_UNHAPPY, _OWN, _ACTIONS, _CONDITIONS = map(_Pattern, ("unhappy", "own", "actions", "conditions"))
_COURTESY, _GENERAL, _ANYBODY = map(_Pattern, ("courtesy", "general", "anybody"))
_PERSONAL, _USUALLY = map(_Pattern, ("personal", "usually"))
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
    found: list[Sign] = []
    if tools and _needs_tools(text, tools):
        found.append("tools")
    text = PLACEHOLDER.sub(" ", text)
    if _WISH.in_(text) and not _NO_WISH.in_(text):
        found.append("wish")
    found += _of_work(text)
    if _UNHAPPY.in_(text):
        found.append("unhappy")
    if len(_ASKED.findall(text)) >= SEVERAL:
        found.append("several")
    if size(question) >= LONG:
        found.append("long")
    if _is_foreign(text):
        found.append("language")
    return Need().with_signs(found)


def is_courtesy(text: str) -> bool:
    """Whether it is thanks, a greeting or a farewell."""
    return _COURTESY.in_(text)


def size(text: str) -> float:
    """How many words it has, in whatever language."""
    han = len(terms.HAN.findall(text))
    return len(_WORD.findall(terms.HAN.sub(" ", text))) + han / 1.5


def _of_work(text: str) -> Iterable[Sign]:
    actions = {action[:5] for action in _ACTIONS.all(text)}
    if len(actions) > 1:
        yield "many_steps" if len(actions) >= MANY_STEPS else "steps"
    if _CONDITIONS.in_(text) and actions:
        yield "conditions"
    if _SUMS.in_(text):
        yield "sums"
        if len(_FIGURE.findall(text)) > 1:
            yield "figures"
    if _WEIGHS.in_(text):
        yield "weighs"


def _needs_tools(text: str, tools: frozenset[Thing]) -> bool:
    """Whether something of the customer's own is meant, or what a tool is called after; in doubt it is."""
    if any(tool.verified for tool in tools) and (_THEIRS.search(text) or not _is_general(text)):
        return True
    asked = set(terms.words(text))
    theirs = _POSSESSIVE.search(text) is not None
    return any(asked & _named(tool) for tool in tools if theirs or not tool.verified)


def _is_general(text: str) -> bool:
    """Whether anybody might ask it, who has bought nothing: a short question, and nothing in it is theirs."""
    if size(text) > GENERAL or _PERSONAL.in_(_ANYBODY.without(text)):
        return False
    if is_courtesy(text) and size(text) <= COURTESY:
        return True
    if _OWN.in_(text) and not _USUALLY.in_(text):
        return False
    return _GENERAL.begins(text)


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
    chinese = len(terms.HAN.findall(text))
    known = len(_LATIN.findall(text)) + chinese
    if known * 2 < len(_LETTER.findall(text)):
        return True
    words = _WORD.findall(text.lower())
    return not chinese and len(words) >= ENGLISH and not _ENGLISH & {*words}
