"""English names: the model, lists of names and the words around each speak for it or against it."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from presidio_analyzer import RecognizerResult

from . import cues, introduced, names, pieces
from .kind import KindRecognizer
from .pieces import Piece

# Words of a shop that the model takes for people, and brands that bear somebody's name.
NOT_NAMES = frozenset(
    """
    alexa alipay alpine amazon android apple armani beanie benz bosch bose bugatti cadbury canon cartier
    casio cortana dhl dior disney dyson ebay fedex ferrari fila fleece ford frontdesk garmin gillette goretex
    gucci harley heinz hilfiger hoodie hoover iphone jersey kellogg kindle klarna kors lego levi lexus lidl
    macbook mastercard mercedes merino miele nike nikon nokia paypal peugeot philips porsche prada
    puma rolex samsung siemens siri sony spade strauss tesla timberland trailhead ups usps uber versace
    vuitton walmart windbreaker xerox xl xs xxl yamaha
    """.split()  # noqa: SIM905  words read better as a text
)
ENOUGH = 2.0
IN_A_ROW = 0.25
_SUFFIX = re.compile(r",? (?:jr|sr|md|phd|dds|dvm|esq|cpa|ii|iii|iv)\b\.?", re.I)
_JOINT = re.compile(r"\s*(?:,|,? and|&|,? or|,? und|,? et|/)\s+", re.I)
_SCOTS = re.compile(r"Ma?c|De|Di|La|Le|O['’]")
_CAMEL = re.compile(r"[a-z][A-Z]")
_OTHER_LABELS = {
    "GPE": -1.5,
    "LOC": -1.5,
    "FAC": -1.0,
    "ORG": -1.0,
    "NORP": -2.0,
    "LANGUAGE": -2.0,
    "PRODUCT": -1.0,
}

# From where to where the model calls something what.
Label: TypeAlias = tuple[int, int, str]


class Weight(NamedTuple):
    """What speaks for a piece; the model's word is added, and may take away no more than `least`."""

    fixed: float
    least: float = -9

    def points(self, labelled: float) -> float:
        return self.fixed + max(labelled, self.least)


class PersonRecognizer(KindRecognizer):
    """No sign alone is trusted with single words: the model takes products for people, lists take places."""

    kind = "PERSON"

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        weighed = [(piece, _weight(text, piece)) for piece in pieces.in_text(text)]
        labels = nlp_artifacts.labels(
            [piece.start for piece, weight in weighed if _hangs(text, piece, weight)]
        )
        scored = [(piece, weight.points(_as_labelled(text, piece, labels))) for piece, weight in weighed]
        found = [(piece.start, piece.end, 0.6) for piece in _good_enough(text, scored)]
        found += [(start, end, 0.65) for start, end in introduced.in_text(text)]
        return [
            RecognizerResult(self.kind, cues.with_title(text, start), _with_suffix(text, end), score)
            for start, end, score in found
        ]


def _weight(text: str, piece: Piece) -> Weight:
    """Add up what speaks for a piece being a name, before the model is asked."""
    if any(word.folded in NOT_NAMES for word in piece.words) and len(piece.words) == 1:
        return Weight(-9)
    points = _by_itself(text, piece)
    after = cues.after(text, piece.end)
    around = max(cues.before(text, piece.start), after)
    if around > 0:
        return Weight(points + around, least=-0.5)
    several = len(piece.words) > 1
    if several and cues.alone_on_line(text, piece.start, piece.end):
        points += 1
    against = cues.against(text, piece.start)
    return Weight(points + after + (against / 8 if several else against) + _beside(text, piece))


def _hangs(text: str, piece: Piece, weight: Weight) -> bool:
    """Whether it hangs on the model: most of the time asking it is most of the work, and changes nothing."""
    said = [_as_labelled(text, piece, [(piece.start, piece.end, label)]) for label in ("PERSON", "NORP", "")]
    return weight.points(max(said)) >= IN_A_ROW and weight.points(min(said)) < ENOUGH


def _by_itself(text: str, piece: Piece) -> float:
    """Points of the letters: what the lists know, places, camel case."""
    first, last = piece.words[0].folded, piece.words[-1].folded
    several = len(piece.words) > 1
    points = 0.0
    if names.is_given(first):
        points = 2
    elif first in names.EITHER:
        points = 1
    elif not several and names.is_family(first):
        points = 1 if first not in names.COMMON else -1.5
    if several:
        points += 1 if names.is_family(last) else 0.5
    if names.folded(text[piece.start : piece.end]) in names.PLACES or (points < 2 and last in names.PLACES):
        points -= 3
    if any(_CAMEL.search(word.text) and not _SCOTS.match(word.text) for word in piece.words):
        points -= 2
    if not several and len(first) > 1 and piece.words[0].text.isupper():
        points -= 1.5
    return points


def _as_labelled(text: str, piece: Piece, labels: Sequence[Label]) -> float:
    """What the model says; capitals tell it nothing where a sentence begins, given names need no model."""
    label = next((name for start, end, name in labels if start < piece.end and piece.start < end), "")
    first = piece.words[0].folded
    if label == "PERSON":
        common = len(piece.words) == 1 and first in names.COMMON and first not in names.EITHER
        unsure = len(piece.words) == 1 and not names.is_given(first) and _begins(text, piece.start)
        return 0.5 if common else 1.5 if unsure else 2.0
    if names.is_given(first):
        return 0
    return _OTHER_LABELS.get(label, 0) * (0.5 if names.is_family(first) else 1)


def _beside(text: str, piece: Piece) -> float:
    """Other capitalised words at its side make it part of a title or a product."""
    points = -1.5 if piece.after else 0.0
    if piece.before and len(piece.words) == 1 and not _begins(text, piece.before.start):
        points -= 1
    return points


def _good_enough(text: str, scored: Sequence[tuple[Piece, float]]) -> list[Piece]:
    """Keep pieces with enough points; those in a row with names ("Ann, Ovid and Bob") need less."""
    ordered = sorted(scored, key=lambda pair: pair[0].start)
    good = {piece.start for piece, points in ordered if points >= ENOUGH}
    joined = [pair for pair in pairwise(ordered) if _JOINT.fullmatch(text, pair[0][0].end, pair[1][0].start)]
    for (left, one), (right, other) in [*joined, *reversed(joined)]:
        both = min(one, other) >= IN_A_ROW
        if (
            (both and _family(left) and _family(right))
            or (left.start in good and other >= IN_A_ROW)
            or (right.start in good and one >= IN_A_ROW)
        ):
            good |= {left.start, right.start}
    return [piece for piece, _ in ordered if piece.start in good]


def _family(piece: Piece) -> bool:
    return names.is_family(piece.words[-1].folded) and piece.words[-1].folded not in names.COMMON


def _with_suffix(text: str, end: int) -> int:
    match = _SUFFIX.match(text, end)
    return match.end() if match else end


def _begins(text: str, start: int) -> bool:
    """Whether a sentence, a line or an item of a list begins here, where capitals mean little."""
    before = text[max(0, start - 8) : start].rstrip(" ")
    return not before or not (before[-1].isalnum() or before[-1] in "'’-&")
