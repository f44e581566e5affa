"""Find private values in a text. Heavy to load, so only the detecting process imports it."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from itertools import chain, pairwise

import spacy
from presidio_analyzer import RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

from .characters import EASTERN, HALF_WIDTH
from .language import ENGLISH
from .placeholders import Span
from .recognizers import all_recognizers
from .recognizers.person import Label
from .rules import Rules

# What finding names does not need: its component brings its own word vectors (tok2vec serves the others).
UNUSED_PIPES = ["tok2vec", "tagger", "parser", "senter", "lemmatizer", "attribute_ruler"]

TEXTS_PER_ZONE = 500

# Not after "Mr." or an initial.
_SENTENCE_END = re.compile(r"\n+|(?<=[^\W\d_]{3}[.!?])\s+")
_LATIN_WORD = re.compile(r"[^\W\d_]{2}")
# What remains beside another find is worth a placeholder from two letters or digits on.
_SAYS_SOMETHING = re.compile(r"\w(?:.*\w)", re.DOTALL)


class Seen(NlpArtifacts):
    """What recognizers are told beside the text: the site's rules; what the model sees, where asked."""

    def __init__(self, rules: Rules, look: Callable[[str], list[Label]], text: str, language: str) -> None:
        super().__init__([], None, [], [], None, language)  # type: ignore[arg-type]
        self.rules = rules
        self._look, self._text = look, text

    def labels(self, places: Sequence[int]) -> list[Label]:
        """What the model calls the words of the sentences that hold these places: it reads no others."""
        if not places:
            return []
        ends = [0, *(match.end() for match in _SENTENCE_END.finditer(self._text)), len(self._text)]
        asked = [
            self._text[start:end] if any(start <= place < end for place in places) else " " * (end - start)
            for start, end in pairwise(ends)
        ]
        return self._look("".join(asked))


class PrivateValueDetector:
    """The recognizers and the language model, loaded once."""

    def __init__(self) -> None:
        self._nlp = spacy.load(ENGLISH, exclude=UNUSED_PIPES)
        self._recognizers = all_recognizers()
        self._zone = ExitStack()
        self._texts_in_zone = 0

    def detect(self, text: str, language: str, rules: Rules) -> list[Span]:
        """Return the private values of a text, in order and without overlaps."""
        plain = text.translate(HALF_WIDTH)
        self._forget_words_now_and_then()
        seen = Seen(rules, self._model_sees, plain, language)
        found = [
            result
            for recognizer in self._recognizers
            for result in recognizer.analyze(plain, recognizer.supported_entities, seen)
        ]
        own = rules.own(plain)
        return _decide(plain, [r for r in found if not _within((r.start, r.end), own)], rules.kept)

    def _forget_words_now_and_then(self) -> None:
        """Without zones new words stay in the vocabulary for ever; one for each text costs 2 ms of 20."""
        if self._texts_in_zone % TEXTS_PER_ZONE == 0:
            self._zone.close()
            self._zone.enter_context(self._nlp.memory_zone())
        self._texts_in_zone += 1

    def _model_sees(self, text: str) -> list[Label]:
        # The model knows English only: Chinese characters are blanks to it.
        latin = EASTERN.sub(" ", text)
        if not _LATIN_WORD.search(latin):
            return []
        return [(entity.start_char, entity.end_char, entity.label_) for entity in self._nlp(latin).ents]


def _decide(text: str, found: list[RecognizerResult], kept: Collection[str]) -> list[Span]:
    """Finds without overlaps; what is kept hides only weaker guesses at its place, or in its word."""
    keeping = [result for result in found if result.entity_type in kept]

    def hidden(guess: RecognizerResult) -> bool:
        return any(
            sure.score > guess.score
            and _within((guess.start, guess.end), [(sure.start, sure.end)])
            and (guess.end - guess.start == sure.end - sure.start or " " not in text[sure.start : sure.end])
            for sure in keeping
        )

    others = [result for result in found if result.entity_type not in kept and not hidden(result)]
    return sorted(_without_overlaps(others, text) + _without_overlaps(keeping, text))


def _without_overlaps(found: Iterable[RecognizerResult], text: str) -> list[Span]:
    """Keep the most certain of overlapping finds, the longest among equals, and the rest of others."""
    kept: list[Span] = []
    for result in sorted(found, key=lambda r: (-r.score, r.start - r.end, r.start)):
        taken = [
            (span.start, span.end) for span in kept if span.start < result.end and result.start < span.end
        ]
        kept += [Span(start, end, result.entity_type) for start, end in _beside(taken, result, text)]
    return sorted(kept)


def _beside(taken: list[tuple[int, int]], result: RecognizerResult, text: str) -> list[tuple[int, int]]:
    """What of a find lies outside the places taken: one that overlaps must not bring the rest to light."""
    if not taken:
        return [(result.start, result.end)]
    edges = [result.start, *chain.from_iterable(sorted(taken)), result.end]
    gaps = [
        _SAYS_SOMETHING.search(text, start, end) for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]
    return [gap.span() for gap in gaps if gap]


def _overlaps(place: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(place[0] < end and start < place[1] for start, end in others)


def _within(place: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    """A card number stays private though some digits of it look like a number of the site's own."""
    return any(start <= place[0] and place[1] <= end for start, end in others)
