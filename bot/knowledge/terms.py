"""What a text says in plain terms: its language, content words, numbers and negations."""

import re
import tomllib
from pathlib import Path

HAN = re.compile(r"[\u3400-\u9fff]")
_HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+")
_NUMBER = re.compile(r"\d+")
_NEGATION = re.compile(
    r"\b(?:not|no|never|without|cannot|nor|(?:ca|do|did|does|wo|is|are|was|has|have)nt)\b|n't\b|[不没未无非]"
)
# A-not-A is how Chinese asks ("能不能"), and the rest is politeness: nothing is negated.
_NOT_NEGATED = re.compile(r"(.)[不没]\1|有没有|不好意思|对不起|不客气|没关系|没问题")
_ASKED = {
    "place": re.compile(r"\bwhere\b|哪里|哪儿|何处"),
    "time": re.compile(r"\bwhen\b|\bhow (?:long|soon|fast)\b|什么时候|何时|多久|多长时间|几天"),
    "reason": re.compile(r"\bwhy\b|\bhow come\b|为什么|为何"),
    "person": re.compile(r"\bwho\b|谁"),
    "favour": re.compile(r"\byou\b.*\b(?:me|my|us|our)\b|[你您].*我"),
    "amount": re.compile(r"\bhow (?:much|many)\b|多少|几个"),
}
_FRAMING = tomllib.loads((Path(__file__).parent / "framing.toml").read_text("utf-8"))
_STOP_WORDS = frozenset(_FRAMING["en"].split())
_STOP_PHRASES = re.compile("|".join(sorted(_FRAMING["zh"].split(), key=len, reverse=True)))


def locale_of(text: str, fallback: str) -> str:
    """The language of a text by its script: customers do not always write in that of the page."""
    if HAN.search(text):
        return "zh"
    return "en" if re.search(r"[a-z]{2}", text, re.IGNORECASE) else fallback


def words(text: str) -> list[str]:
    """Content words in order: stems of words, numbers, and pairs of Chinese characters."""
    plain = (word.partition("'")[0] for word in _WORD.findall(_HAN_RUN.sub(" ", _lower(text))))
    found = [_stem(word) for word in plain if word not in _STOP_WORDS and (len(word) > 1 or word.isdigit())]
    for run in _HAN_RUN.findall(_STOP_PHRASES.sub(" ", text)):
        found += [run[i : i + 2] for i in range(len(run) - 1)] or [run]
    return found


def numbers(text: str) -> list[str]:
    return sorted(_NUMBER.findall(text))


def negations(text: str) -> int:
    return len(_NEGATION.findall(_NOT_NEGATED.sub("", _lower(text))))


def asked(text: str) -> frozenset[str]:
    """What kind of thing is asked for (a place, a time, a favour…), as far as single words tell."""
    return frozenset(kind for kind, pattern in _ASKED.items() if pattern.search(_lower(text)))


def bare(text: str) -> str:
    """A question without capitals and outer punctuation: they move its vector, not its meaning."""
    return " ".join(_lower(text).split()).strip(" .,;:!?…。，；：！？～~\"'“”")


def _lower(text: str) -> str:
    return text.lower().replace("’", "'")


def _stem(word: str) -> str:
    """A word without its English ending, roughly: both sides of every comparison go through here."""
    for ending, instead in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and not word.endswith("ss") and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending) + instead
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word
