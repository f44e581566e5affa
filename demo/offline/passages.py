"""Answers made of the best sentences of the passages a search returned."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from demo.offline.phrases import STOP_WORDS, TABLES, joined, matches, saying
from demo.offline.prompt import CHINESE

SENTENCES = 3
GOOD_ENOUGH = 0.3  # of the best sentence's score
# How much a sentence gains from what stands around it.
TITLE, OPENING, FIGURE, INTRODUCTION = 0.6, 0.5, 0.6, 1.5
RANK, PLACE = 0.5, 0.02  # what it loses for each step down
MARKUP = re.compile(r"^\s*(?:[-*+]\s+|\d+\.\s+|>\s?)|\*\*|__|`", re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
SECTION = re.compile(r"^\s*(?:#{1,6}\s+(.*)|\*\*([^*]+)\*\*:?\s*)$", re.MULTILINE)
SENTENCE = {"en": re.compile(r"(?<=[.!?])\s+|\n+"), "zh": re.compile(r"(?<=[。！？])|\n+")}


@dataclass(frozen=True)
class Sentence:
    """One sentence of a passage, with the words of the headings it stands under."""

    passage: int
    place: int
    text: str
    words: frozenset[str]
    about: frozenset[str]
    introduces: bool


def answer(question: str, language: str, passages: list[dict[str, Any]]) -> str | None:
    """Two to four sentences in the customer's language with their source, or None when nothing fits."""
    readable = [passage for passage in passages if _language_of(passage) == language]
    asked = words_of(_as_written_here(question.lower(), language), language)
    # Pages whose very title was asked for come first.
    readable.sort(key=lambda passage: not asked & words_of(str(passage.get("title", "")), language))
    sentences = [
        sentence for at, passage in enumerate(readable) for sentence in _sentences(at, passage, language)
    ]
    if not asked or not sentences:
        return None
    rarity = _rarity(sentences)
    wants_figure = matches("figure", question)
    scores = {sentence: _score(asked, sentence, rarity, wants_figure) for sentence in sentences}
    best = max(sentences, key=lambda sentence: scores[sentence])
    if not asked & (best.words | best.about):
        return None
    chosen = _choose(best, sentences, scores)
    title = str(readable[best.passage].get("title", "")).strip()
    return _worded([sentence.text for sentence in chosen], title, question, language)


def words_of(text: str, language: str) -> frozenset[str]:
    """The words that carry meaning: stems in English, pairs of characters in Chinese."""
    text = text.lower()
    if language == "zh":
        runs = re.findall(r"[\u3400-\u9fff]+", text)
        pairs = {run[at : at + 2] for run in runs for at in range(len(run) - 1)}
        content = {pair for pair in pairs if not set(pair) & STOP_WORDS["zh"]}
        return frozenset(content | set(re.findall(r"[a-z0-9]{2,}", text)))
    return frozenset(_stem(word) for word in re.findall(r"[a-z0-9$]+", text) if word not in STOP_WORDS["en"])


def _as_written_here(question: str, language: str) -> str:
    """The question in the words of the help pages."""
    for theirs, ours in TABLES[language]["same_words"].items():
        pattern = rf"\b{theirs}\b" if language == "en" else theirs
        question = re.sub(pattern, ours, question)
    return question


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "ers", "ed", "es", "er", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + ("y" if ending == "ies" else "")
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def _language_of(passage: dict[str, Any]) -> str:
    text = str(passage.get("text", ""))
    return "zh" if len(CHINESE.findall(text)) * 4 > len(text) else "en"


def _sentences(at: int, passage: dict[str, Any], language: str) -> list[Sentence]:
    found: list[Sentence] = []
    title = words_of(str(passage.get("title", "")), language)
    for heading, text in _sections(str(passage.get("text", ""))):
        about = title | words_of(heading, language)
        for part in SENTENCE[language].split(MARKUP.sub("", LINK.sub(r"\1", text))):
            sentence = part.strip()
            if sentence and sentence[-1] in ".!?。！？":
                words = words_of(sentence, language)
                found.append(Sentence(at, len(found), sentence, words, about, introduces=not heading))
    return found


def _sections(text: str) -> list[tuple[str, str]]:
    """Each heading with the text under it; what stands before the first has none."""
    parts = SECTION.split(text)
    headings = [first or second for first, second in zip(parts[1::3], parts[2::3], strict=True)]
    return list(zip(["", *headings], parts[::3], strict=True))


def _rarity(sentences: list[Sentence]) -> dict[str, float]:
    seen = Counter(word for sentence in sentences for word in sentence.words)
    return {word: math.log(1 + len(sentences) / count) for word, count in seen.items()}


def _score(asked: frozenset[str], sentence: Sentence, rarity: dict[str, float], wants_figure: bool) -> float:
    """Rare shared words count most, then headings, openings and figures; the search's order breaks ties."""
    shared = sum(rarity[word] for word in asked & sentence.words)
    about = sum(rarity.get(word, 1.0) for word in asked & sentence.about)
    score = (shared + TITLE * about) / (1 + 0.02 * len(sentence.words))
    if score and sentence.place < 2:
        score += OPENING * max(about, 0.5)
    if sentence.introduces and sentence.place < 2 and asked & sentence.about:
        score += INTRODUCTION
    if score and wants_figure and re.search(r"\d", sentence.text):
        score += FIGURE
    return score - RANK * sentence.passage - PLACE * sentence.place


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
