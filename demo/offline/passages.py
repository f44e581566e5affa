"""Answers made of the best sentences of the passages a search returned."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from demo.offline.phrases import STOP_WORDS, TABLES, joined, saying
from demo.offline.prompt import CHINESE

SENTENCES = 3
GOOD_ENOUGH = 0.3  # of the best sentence's score
TITLE_WEIGHT = 0.6
MARKUP = re.compile(r"^\s*(?:#{1,6}\s+|[-*+]\s+|\d+\.\s+|>\s?)|\*\*|__|`", re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
SENTENCE = {"en": re.compile(r"(?<=[.!?])\s+|\n+"), "zh": re.compile(r"(?<=[。！？])|\n+")}
HEADING = re.compile(r"^\s*(?:#{1,6}\s.*|\*\*[^*]+\*\*:?|\|.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Sentence:
    passage: int
    place: int
    text: str
    words: frozenset[str]


def answer(question: str, language: str, passages: list[dict[str, Any]]) -> str | None:
    """Two to four sentences in the customer's language with their source, or None when nothing fits."""
    readable = [passage for passage in passages if _language_of(passage) == language]
    asked = words_of(question, language)
    sentences = [
        sentence for at, passage in enumerate(readable) for sentence in _sentences(at, passage, language)
    ]
    if not asked or not sentences:
        return None
    rarity = _rarity(sentences)
    titles = [words_of(str(passage.get("title", "")), language) for passage in readable]
    scores = {sentence: _score(asked, sentence, titles[sentence.passage], rarity) for sentence in sentences}
    best = max(sentences, key=lambda sentence: scores[sentence])
    if not (asked & (best.words | titles[best.passage])):
        return None
    chosen = _choose(best, sentences, scores)
    title = str(readable[best.passage].get("title", "")).strip()
    return _worded([sentence.text for sentence in chosen], title, question, language)


def words_of(text: str, language: str) -> frozenset[str]:
    """The words that carry meaning: stems in English, pairs of characters in Chinese."""
    text = text.lower()
    for phrase, same in TABLES[language]["same_words"].items():
        if re.search(rf"\b{phrase}", text) if language == "en" else phrase in text:
            text += f" {same}"
    if language == "zh":
        runs = re.findall(r"[\u3400-\u9fff]+", text)
        pairs = {run[at : at + 2] for run in runs for at in range(len(run) - 1)}
        content = {pair for pair in pairs if not set(pair) & STOP_WORDS["zh"]}
        return frozenset(content | set(re.findall(r"[a-z0-9]{2,}", text)))
    return frozenset(_stem(word) for word in re.findall(r"[a-z0-9$]+", text) if word not in STOP_WORDS["en"])


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "ers", "ed", "es", "er", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def _language_of(passage: dict[str, Any]) -> str:
    text = str(passage.get("text", ""))
    return "zh" if len(CHINESE.findall(text)) * 4 > len(text) else "en"


def _sentences(at: int, passage: dict[str, Any], language: str) -> list[Sentence]:
    plain = MARKUP.sub("", LINK.sub(r"\1", HEADING.sub("", str(passage.get("text", "")))))
    parts = [part.strip() for part in SENTENCE[language].split(plain)]
    return [
        Sentence(at, place, part, words_of(part, language))
        for place, part in enumerate(parts)
        if part and part[-1] in ".!?。！？"
    ]


def _rarity(sentences: list[Sentence]) -> dict[str, float]:
    seen = Counter(word for sentence in sentences for word in sentence.words)
    return {word: math.log(1 + len(sentences) / count) for word, count in seen.items()}


def _score(
    asked: frozenset[str], sentence: Sentence, title: frozenset[str], rarity: dict[str, float]
) -> float:
    """Rare shared words count most and the title helps; the search's order and early sentences break ties."""
    shared = sum(rarity[word] for word in asked & sentence.words)
    about = TITLE_WEIGHT * sum(rarity.get(word, 1.0) for word in asked & title)
    return (
        (shared + about) / (1 + 0.02 * len(sentence.words)) - 0.15 * sentence.passage - 0.02 * sentence.place
    )


def _choose(best: Sentence, sentences: list[Sentence], scores: dict[Sentence, float]) -> list[Sentence]:
    """The best sentence and its good neighbours of the same passage, in the order they were written."""
    same = [sentence for sentence in sentences if sentence.passage == best.passage]
    ranked = sorted(same, key=lambda sentence: -scores[sentence] + 0.1 * abs(sentence.place - best.place))
    good = [sentence for sentence in ranked if scores[sentence] >= GOOD_ENOUGH * scores[best]][:SENTENCES]
    following = [sentence for sentence in same if sentence.place == best.place + 1]
    chosen = {best, *good} if len(good) > 1 else {best, *following}
    return sorted(chosen, key=lambda sentence: sentence.place)[: SENTENCES + 1]


def _worded(sentences: list[str], title: str, question: str, language: str) -> str:
    openings = TABLES[language]["openings"]
    opening = str(openings[sum(question.encode()) % len(openings)])
    source = saying(language, "source", title=title) if title else ""
    return opening + joined(language, [*sentences, source])
