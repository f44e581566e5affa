"""A prepared answer for a question: surely the same one, or a fair guess when no model can be asked.

Measured on Banking77, whose 77 topics resemble each other far more than a shop's do: 10 questions each
of 54 topics prepared, 5 random splits; 31,905 other questions have a prepared answer, 15,410 have none.

| threshold    | answered | of these wrong | answered without having an answer |
|--------------|----------|----------------|-----------------------------------|
| sure, 0.85   | 6.0 %    | 1.7 %          | 0.14 %                            |
| sure, 0.90   | 3.6 %    | 1.3 %          | 0.07 %                            |
| fair, 0.65   | 66.0 %   | 13.0 %         | 26 %                              |
| fair, 0.70   | 49.8 %   | 9.5 %          | 12 %                              |
| fair, 0.75   | 34.1 %   | 6.4 %          | 5 %                               |
"""

from dataclasses import dataclass

from pgvector.django import CosineDistance

from bot.knowledge import terms
from bot.knowledge.embed import embed
from bot.models import CannedQuestion, CannedReply

CANDIDATES = 20
LONGEST_QUESTION = 500  # characters
WORDS_WEIGHT = 0.2
SURE = 0.9
FAIR = 0.7


@dataclass(frozen=True)
class Match:
    """The reply whose example comes closest. `likeness` in meaning and `score`, with words, are 0 to 1."""

    reply: CannedReply
    question: str
    example: str
    likeness: float
    score: float


def best(site_id: int, question: str, locale: str) -> Match | None:
    """The closest reply of this site in the question's language, however far; None when it has none."""
    [vector] = embed([terms.bare(question)[:LONGEST_QUESTION]])
    rows = _nearest(site_id, terms.locale_of(question, locale), vector)
    return max((_match(question, *row) for row in rows), key=lambda one: one.score, default=None)


def sure(match: Match) -> bool:
    """Nothing is asked but what the reply was written for: it may answer before any model."""
    return match.likeness >= SURE and any(
        _says_the_same(match.question, example, match.reply) for example in match.reply.questions
    )


def fair(match: Match) -> bool:
    """Worth showing, labelled, when the model cannot be asked."""
    return match.score >= FAIR


def _nearest(site_id: int, locale: str, vector: list[float]) -> list[tuple[CannedQuestion, float]]:
    """(example question, likeness in meaning), exact, in one query."""
    rows = CannedQuestion.objects.filter(reply__site_id=site_id, reply__locale=locale, reply__enabled=True)
    rows = rows.annotate(distance=CosineDistance("embedding", vector)).order_by("distance")
    rows = rows.select_related("reply").defer("embedding")[:CANDIDATES]
    return [(row, 1 - row.distance) for row in rows]


def _match(question: str, row: CannedQuestion, likeness: float) -> Match:
    mine, theirs = set(terms.words(question)), set(terms.words(row.text))
    shared = len(mine & theirs) / len(mine | theirs) if mine | theirs else likeness
    score = (1 - WORDS_WEIGHT) * likeness + WORDS_WEIGHT * shared
    return Match(row.reply, question, row.text, likeness, score)


def _says_the_same(question: str, example: str, reply: CannedReply) -> bool:
    """The example says nothing that the question does not, and the question nothing that no example does."""
    known = set().union(*(terms.words(other) for other in reply.questions))
    asked = set(terms.words(question))
    return (
        set(terms.words(example)) <= asked <= known
        and terms.numbers(question) == terms.numbers(example)
        and terms.negations(question) == terms.negations(example)
        and terms.asked(question) == terms.asked(example)
    )
