"""The passages of a site's articles that answer a question: by meaning, and by the words they share."""

import math
from collections import Counter
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from pgvector.django import CosineDistance

from bot.knowledge import terms
from bot.knowledge.embed import embed
from bot.models import Passage

CANDIDATES = 40
LONGEST_QUESTION = 500  # characters; more would only blur what is asked
WORDS_WEIGHT = 0.3
# Measured on the demo's articles: questions about something else reach 0.14 in English and 0.22 in Chinese.
READABLE = 0.15  # a model may read it and judge
RELEVANT = 0.22  # it may be named as a source
ALONE = 0.28  # it may be shown instead of an answer
TRANSLATED = 0.28  # likeness in meaning of a passage in another language, which shares no words


@dataclass(frozen=True)
class Found:
    """A passage that may answer; `score` is 0 to 1, `url` may be empty."""

    title: str
    url: str
    text: str
    score: float
    slug: str


def passages(site_id: int, question: str, locale: str, limit: int = 4) -> list[Found]:
    """Passages for a model to read, best first: in the question's language, else in any other."""
    return _search(site_id, question, locale, READABLE)[:limit]


def best_passage(site_id: int, question: str, locale: str) -> Found | None:
    """The one passage good enough to be shown instead of an answer."""
    found = _search(site_id, question, locale, ALONE)
    return found[0] if found else None


def _search(site_id: int, question: str, locale: str, floor: float) -> list[Found]:
    question = question[:LONGEST_QUESTION].replace("\0", "")
    own = Q(article__locale=terms.locale_of(question, locale))
    published = Passage.objects.filter(article__site_id=site_id, article__published=True)
    [vector] = embed([question])
    found = _ranked(_nearest(published.filter(own), vector), WORDS_WEIGHT, question)
    found = [one for one in found if one.score >= floor]
    if found:
        return found
    foreign = _ranked(_nearest(published.exclude(own), vector), 0, question)
    return [one for one in foreign if one.score >= TRANSLATED]


def _nearest(among: QuerySet[Passage], vector: list[float]) -> list[tuple[Passage, float]]:
    """(passage, likeness in meaning), exact."""
    rows = among.annotate(distance=CosineDistance("embedding", vector)).order_by("distance")
    rows = rows.select_related("article").defer("embedding", "article__body")[:CANDIDATES]
    return [(passage, 1 - passage.distance) for passage in rows]


def _ranked(candidates: list[tuple[Passage, float]], words_weight: float, question: str) -> list[Found]:
    """Candidates by meaning and by the share of the question's words in them, where rare words count more."""
    wanted = set(terms.words(question))
    contents = [set(terms.words(f"{passage.article.title}\n{passage.text}")) for passage, _ in candidates]
    holders = Counter(word for content in contents for word in content & wanted)
    weight = {word: math.log(1 + len(contents) / (1 + holders[word])) for word in wanted}
    total = sum(weight.values())
    found = []
    for (passage, likeness), content in zip(candidates, contents, strict=True):
        shared = sum(weight[word] for word in wanted & content) / total if total else likeness
        score = (1 - words_weight) * likeness + words_weight * shared
        article = passage.article
        found.append(Found(article.title, article.url, passage.text, score, article.slug))
    return sorted(found, key=lambda one: -one.score)
