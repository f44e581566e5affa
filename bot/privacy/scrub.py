"""Take private values out of texts: known values first, then detection, each replaced by its placeholder.

Nothing a person or a tool wrote holds a placeholder, so what looks like one is made harmless: `<EMAIL_1>`
turns into `‹EMAIL 1›`, which nothing restores and no straightening brings back. Only text that was scrubbed
before, such as a stored summary (`scrubbed=True`), keeps the placeholders that its vault knows.

Kinds that the site keeps stay as they are. A value of a kind that it refuses is dropped: a neutral word
stands in its place, and no vault gets it. What is known was told by the site itself, and is only masked.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, NamedTuple

from .known import Index, Known
from .lookalike import harmless
from .placeholders import PLACEHOLDER, Detector, Placeholders, Span
from .refusal import removed
from .rules import Rules

JSON = Any
Place = tuple[int, int]
Pair = tuple[str, str]

_LONG_NUMBER = re.compile(r"\d(?:\D{0,3}\d){6}")
_TELLING_KEY = re.compile(r"@|\d{7}")
# As whose kind the site's own numbers are reported; they are never masked.
OWN = "OWN"
# Longer texts say themselves what their numbers are.
_NEEDS_HINT = 40


class Piece(NamedTuple):
    """A text, and words put before it so that detection knows what it is."""

    text: str
    hint: str = ""


class Done(NamedTuple):
    """A text as models and staff may read it, and as it is stored sealed: without what the site refuses."""

    masked: str
    said: str
    refused: frozenset[str]
    # Values found and not refused, also of kinds that the site keeps, and the site's own numbers.
    found: list[Pair]


@dataclass
class Scrubber:
    """What texts of one conversation are scrubbed with."""

    vault: Placeholders
    engine: Detector
    language: str
    rules: Rules
    known: Index = field(default_factory=Index)
    refused: frozenset[str] = frozenset()
    # Names that everybody may read, such as an agent's.
    public: Collection[str] = ()

    def texts(self, pieces: Sequence[Piece]) -> list[Done]:
        """1. Detect. 2. Find what is known, also what was detected only elsewhere. 3. Replace all at once."""
        detected = self.engine.detect(
            [piece.hint + piece.text for piece in pieces], self.language, self.rules
        )
        seen = [self._seen(piece, found) for piece, found in zip(pieces, detected, strict=True)]
        fresh = Index(
            Known(kind, value, told=False)
            for piece, spans in zip(pieces, seen, strict=True)
            for kind, value in _pairs(piece, spans)
            if kind not in self.rules.kept
        )
        rows = [self._row(piece, found, fresh) for piece, found in zip(pieces, seen, strict=True)]
        pairs = [pair for piece, row in zip(pieces, rows, strict=True) for pair in _pairs(piece, row.mask)]
        names = iter(self.vault.placeholders(pairs) if pairs else [])
        self.known.add(Known(kind, value, told=False) for kind, value in pairs)
        return [self._done(piece, row, names) for piece, row in zip(pieces, rows, strict=True)]

    def exactly(self, text: str) -> str:
        """Replace known values only: what is too short or too common to be looked at by detection."""
        placeholders = [match.span() for match in PLACEHOLDER.finditer(text)]
        spans = [span for span in self.known.find(text) if not _touched(span, placeholders)]
        return _replace(text, [(s, self.vault.placeholder(s.kind, text[s.start : s.end])) for s in spans])

    def _seen(self, piece: Piece, detected: Sequence[Span]) -> list[Span]:
        shift = len(piece.hint)
        spans = [Span(max(0, s.start - shift), s.end - shift, s.kind) for s in detected if s.end > shift]
        return [span for span in spans if not self._is_public(piece.text, span)]

    def _row(self, piece: Piece, seen: Sequence[Span], fresh: Index) -> "_Row":
        """What stands in a text: known values win, unless they are part of a longer value of another kind."""
        found = [span for span in seen if span.kind not in self.rules.kept]
        places = [(span.start, span.end) for span in found]
        found += [span for span in fresh.find(piece.text) if not _touched(span, places)]
        placeholders = [match.span() for match in PLACEHOLDER.finditer(piece.text)]
        exact = [
            span
            for span in self.known.find(piece.text)
            if not _touched(span, placeholders)
            and not any(f.kind != span.kind and f.start <= span.start and span.end <= f.end for f in found)
        ]
        taken = placeholders + [(span.start, span.end) for span in exact]
        rest = sorted(chain(*(_outside(piece.text, span, taken) for span in found)))
        return _Row(
            mask=sorted([*exact, *(span for span in rest if span.kind not in self.refused)]),
            drop=[span for span in rest if span.kind in self.refused],
            kept=[span for span in seen if span.kind in self.rules.kept],
        )

    def _is_public(self, text: str, span: Span) -> bool:
        if span.kind != "PERSON":
            return False
        words = set(_words(text[span.start : span.end]))
        return any(words <= set(_words(name)) for name in self.public)

    def _done(self, piece: Piece, row: "_Row", names: Iterator[str]) -> Done:
        own = [
            Span(start, end, OWN)
            for start, end in self.rules.own(piece.text)
            if not any(span.start < end and start < span.end for span in (*row.mask, *row.drop))
        ]
        neutral = [(span, removed(span.kind, self.language)) for span in row.drop]
        masked = sorted([*neutral, *((span, next(names)) for span in row.mask)])
        return Done(
            masked=_replace(piece.text, masked),
            said=_replace(piece.text, neutral),
            refused=frozenset(span.kind for span in row.drop),
            found=_pairs(piece, [*row.mask, *row.kept, *own]),
        )


class _Row(NamedTuple):
    """Finds of one text, by what becomes of them; what is kept may overlap the others."""

    mask: list[Span]
    drop: list[Span]
    kept: list[Span]


def _pairs(piece: Piece, spans: Iterable[Span]) -> list[Pair]:
    return [(span.kind, piece.text[span.start : span.end]) for span in spans]


def said(scrubber: Scrubber, texts: Sequence[str]) -> list[Done]:
    """Scrub what people wrote; raises PrivacyError rather than leave a private value."""
    return scrubber.texts([Piece(harmless(text, ())) for text in texts])


def told(scrubber: Scrubber, value: JSON, kept: Collection[str] = ()) -> tuple[JSON, list[Pair]]:
    """Scrub texts, long numbers and telling keys of a JSON value by one call; also what was found.

    In other keys and numbers, only known values are looked for. A Known in the value is private by its
    place: its placeholder stands there, whatever it looks like.
    """
    pieces: list[Piece] = []
    placed: list[Known] = []

    def collect(text: str, hint: str) -> str:
        pieces.append(Piece(harmless(text, kept), hint))
        return text

    def place(item: Known) -> str:
        placed.append(item)
        return item.value

    _walk(value, _Visits(collect, place, str))
    pairs = [(item.kind, item.value) for item in placed]
    names = dict(zip(placed, scrubber.vault.placeholders(pairs) if pairs else [], strict=True))
    done = scrubber.texts(pieces)
    texts = (one.masked for one in done)
    masking = _Visits(lambda text, hint: next(texts), lambda item: names[item], scrubber.exactly)
    return _walk(value, masking), [*pairs, *(pair for one in done for pair in one.found)]


def scrub(
    texts: Sequence[str],
    vault: Placeholders,
    engine: Detector,
    language: str,
    rules: Rules,
    known: Iterable[Known] = (),
    *,
    scrubbed: bool = False,
) -> list[str]:
    """Return the texts with placeholders for private values, whatever a site's policy is."""
    kept = vault.names() if scrubbed else ()
    pieces = [Piece(harmless(text, kept)) for text in texts]
    return [done.masked for done in Scrubber(vault, engine, language, rules, Index(known)).texts(pieces)]


def scrub_json(
    value: JSON,
    vault: Placeholders,
    engine: Detector,
    language: str,
    rules: Rules,
    known: Iterable[Known] = (),
    *,
    scrubbed: bool = False,
) -> JSON:
    """Return a JSON value with placeholders for private values, whatever a site's policy is."""
    kept = vault.names() if scrubbed else ()
    return told(Scrubber(vault, engine, language, rules, Index(known)), value, kept)[0]


def _outside(text: str, span: Span, taken: Sequence[Place]) -> list[Span]:
    """Return what of a span lies outside the places taken, as far as it says anything."""
    touched = sorted(_touched(span, taken))
    if not touched:
        return [span]
    edges = [span.start, *chain.from_iterable(touched), span.end]
    gaps = [re.search(r"\w.*\w", text[a:b], re.DOTALL) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return [
        Span(start + gap.start(), start + gap.end(), span.kind)
        for start, gap in zip(edges[::2], gaps, strict=True)
        if gap
    ]


def _touched(span: Span, places: Sequence[Place]) -> list[Place]:
    return [(start, end) for start, end in places if span.start < end and start < span.end]


def _replace(text: str, words: Iterable[tuple[Span, str]]) -> str:
    pieces, end = [], 0
    for span, word in words:
        pieces += [text[end : span.start], word]
        end = span.end
    return "".join(pieces) + text[end:]


def _words(name: str) -> list[str]:
    return re.findall(r"\w+", name.casefold())


class _Visits(NamedTuple):
    """What is done with a text, with a value private by its place, and with what only may hold known ones."""

    text: Callable[[str, str], str]
    place: Callable[[Known], str]
    exactly: Callable[[str], str]


def _walk(value: JSON, visits: _Visits, key: str = "") -> JSON:
    """Rebuild a JSON value, every text in it visited in a fixed order."""
    if isinstance(value, Known):
        return visits.place(value)
    if isinstance(value, str):
        return visits.text(value, _hint(key, value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
        done = visits.text(text, _hint(key, text)) if _LONG_NUMBER.search(text) else visits.exactly(text)
        return value if done == text else done
    if isinstance(value, list | tuple):
        return [_walk(item, visits, key) for item in value]
    if isinstance(value, dict):
        return {_key(name, visits, key): _walk(item, visits, _name(name)) for name, item in value.items()}
    return value


def _name(key: str | Known) -> str:
    """The name that a field's number is understood by: a private key is none."""
    return "" if isinstance(key, Known) else key


def _key(name: str | Known, visits: _Visits, key: str) -> str:
    if isinstance(name, Known):
        return visits.place(name)
    return visits.text(name, _hint(key, name)) if _TELLING_KEY.search(name) else visits.exactly(name)


def _hint(key: str, text: str) -> str:
    """A bare number is a phone or an order only by the name of its field."""
    if not key or len(text) > _NEEDS_HINT or not _LONG_NUMBER.search(text):
        return ""
    return f"{key.replace('_', ' ')}: "
