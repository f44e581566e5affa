"""Take private values out of texts: known values first, then detection, each replaced by its placeholder.

Nothing a person or a tool wrote holds a placeholder, so what looks like one is made harmless: `<EMAIL_1>`
turns into `‹EMAIL 1›`, which nothing restores and no straightening brings back. Only text that was scrubbed
before, such as a stored summary (`scrubbed=True`), keeps the placeholders that its vault knows.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from . import known as known_values
from .known import Known
from .placeholders import KINDS, PLACEHOLDER, Detector, Placeholders, Span
from .rules import Rules

JSON = Any
Place = tuple[int, int]

_LOOKALIKE = re.compile(
    r"\\?[<＜]\s*(?P<kind>[A-Za-z][A-Za-z_\\]{0,30}?)\\?_(?P<number>[0-9]{1,9})(?:\s*\\?[>＞])?"
    rf"|(?<![A-Za-z0-9_])(?P<bare>{'|'.join(KINDS)})\\?_(?P<digits>[0-9]{{1,9}})(?:\\?[>＞])?"
)
_LONG_NUMBER = re.compile(r"\d(?:\D{0,3}\d){6}")
_TELLING_KEY = re.compile(r"@|\d{7}")
# Longer texts say themselves what their numbers are.
_NEEDS_HINT = 40


class Piece(NamedTuple):
    """A text, and words put before it so that detection knows what it is."""

    text: str
    hint: str = ""


def scrub(
    texts: Sequence[str],
    vault: Placeholders,
    engine: Detector,
    language: str,
    rules: Rules,
    known: Sequence[Known] = (),
    *,
    scrubbed: bool = False,
) -> list[str]:
    """Return the texts with placeholders for private values; raises PrivacyError rather than leave one."""
    kept = vault.names() if scrubbed else ()
    pieces = [Piece(_neutralise(text, kept)) for text in texts]
    return _scrub(pieces, vault, engine, language, rules, known)


def scrub_json(
    value: JSON,
    vault: Placeholders,
    engine: Detector,
    language: str,
    rules: Rules,
    known: Sequence[Known] = (),
    *,
    scrubbed: bool = False,
) -> JSON:
    """Return a JSON value with texts, long numbers and telling keys scrubbed, by one call of the engine."""
    kept = vault.names() if scrubbed else ()
    pieces: list[Piece] = []

    def collect(text: str, hint: str) -> str:
        pieces.append(Piece(_neutralise(text, kept), hint))
        return text

    _walk(value, collect)
    done = iter(_scrub(pieces, vault, engine, language, rules, known))
    return _walk(value, lambda text, hint: next(done))


def _scrub(
    pieces: Sequence[Piece],
    vault: Placeholders,
    engine: Detector,
    language: str,
    rules: Rules,
    known: Sequence[Known],
) -> list[str]:
    """1. Detect. 2. Find what is known. 3. Replace both at once, what is known first."""
    detected = engine.detect([piece.hint + piece.text for piece in pieces], language, rules)
    rows = [_private(piece, found, known) for piece, found in zip(pieces, detected, strict=True)]
    pairs = [
        (span.kind, piece.text[span.start : span.end])
        for piece, row in zip(pieces, rows, strict=True)
        for span in row
    ]
    placeholders = iter(vault.placeholders(pairs) if pairs else [])
    return [_replace(piece.text, row, placeholders) for piece, row in zip(pieces, rows, strict=True)]


def _private(piece: Piece, detected: Sequence[Span], known: Sequence[Known]) -> list[Span]:
    """Merge finds: known values win, unless they are part of a longer value of another kind."""
    shift = len(piece.hint)
    found = [Span(max(0, s.start - shift), s.end - shift, s.kind) for s in detected if s.end > shift]
    placeholders = [match.span() for match in PLACEHOLDER.finditer(piece.text)]
    exact = [
        span
        for span in known_values.find(piece.text, known)
        if not _touched(span, placeholders)
        and not any(f.kind != span.kind and f.start <= span.start and span.end <= f.end for f in found)
    ]
    taken = placeholders + [(span.start, span.end) for span in exact]
    return sorted(chain(exact, *(_outside(piece.text, span, taken) for span in found)))


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


def _replace(text: str, spans: Sequence[Span], placeholders: Iterator[str]) -> str:
    pieces, end = [], 0
    for span in spans:
        pieces += [text[end : span.start], next(placeholders)]
        end = span.end
    return "".join(pieces) + text[end:]


def _neutralise(text: str, kept: Collection[str]) -> str:
    """Turn what looks like a placeholder, and is none of those kept, into words that nothing restores."""

    def harmless(match: re.Match[str]) -> str:
        if match[0] in kept:
            return match[0]
        if match["bare"]:
            return f"{match['bare']} {match['digits']}"
        return f"‹{match['kind']} {match['number']}›"

    return _LOOKALIKE.sub(harmless, text)


def _walk(value: JSON, visit: Callable[[str, str], str], key: str = "") -> JSON:
    """Rebuild a JSON value, every text in it visited in a fixed order."""
    if isinstance(value, str):
        return visit(value, _hint(key, value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
        done = visit(text, _hint(key, text)) if _LONG_NUMBER.search(text) else text
        return value if done == text else done
    if isinstance(value, list | tuple):
        return [_walk(item, visit, key) for item in value]
    if isinstance(value, dict):
        return {
            visit(name, "") if _TELLING_KEY.search(name) else name: _walk(item, visit, name)
            for name, item in value.items()
        }
    return value


def _hint(key: str, text: str) -> str:
    """A bare number is a phone or an order only by the name of its field."""
    if not key or len(text) > _NEEDS_HINT or not _LONG_NUMBER.search(text):
        return ""
    return f"{key.replace('_', ' ')}: "
