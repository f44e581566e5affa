"""Bend back the placeholders that a model bent, also in a stream.

It writes `<email_1>`, `< EMAIL_1 >`, `EMAIL_1` or, for markdown's sake, `<EMAIL\\_1>`.
"""

import re
from collections.abc import Container

from .placeholders import KINDS, write

# With a bracket any case will do; without one only capitals: `email_1` may be the name of a field.
_OPEN = (r"\\?", "[<＜]", " {0,2}")
_NUMBER = (r"\\?", "_", "[0-9]{1,6}")
_KINDS = sorted(KINDS, key=len, reverse=True)
_ANY_CASE = {
    kind: tuple(f"[{char}{char.lower()}]" if char.isalpha() else char for char in kind) for kind in _KINDS
}
_BARE_START = "(?<![A-Za-z0-9_<＜])"


def _alternatives(parts: list[tuple[str, ...]]) -> str:
    return "|".join("".join(atoms) for atoms in parts)


def _beginnings(atoms: tuple[str, ...]) -> str:
    """A pattern for everything that may grow into these atoms."""
    pattern = ""
    for atom in reversed(atoms):
        pattern = f"(?:{atom}{pattern})?" if pattern else f"(?:{atom})?"
    return pattern


_BENT = re.compile(
    rf"{''.join(_OPEN)}(?P<kind>{_alternatives(list(_ANY_CASE.values()))})"
    r"\\?_(?P<number>[0-9]{1,6})(?![A-Za-z0-9_])(?: {0,2}\\?[>＞])?"
    rf"|{_BARE_START}(?P<bare>{_alternatives([tuple(kind) for kind in _KINDS])})"
    r"\\?_(?P<digits>[0-9]{1,6})(?![A-Za-z0-9_])(?:\\?[>＞])?"
)
# What the end of a text may be the beginning of: a bent placeholder, or any placeholder at all.
_UNFINISHED = re.compile(
    "(?:"
    + "|".join(
        [_beginnings((*_OPEN, *_ANY_CASE[kind], *_NUMBER, " {0,2}", r"\\?")) for kind in _KINDS]
        + [_BARE_START + _beginnings((*kind, *_NUMBER, r"\\?")) for kind in _KINDS]
        + ["<(?:[A-Z][A-Z_]{0,23}(?:(?<=_)[0-9]{1,6})?)?"]
    )
    + r")\Z"
)


def straighten(text: str, known: Container[str]) -> str:
    """Return the text with bent placeholders made straight, where the straight one is known."""
    return _BENT.sub(lambda match: _straight(match, known), text)


def _straight(match: re.Match[str], known: Container[str]) -> str:
    placeholder = write((match["kind"] or match["bare"]).upper(), int(match["number"] or match["digits"]))
    return placeholder if placeholder in known else match[0]


class DeltaBuffer:
    """Streams a text so that no piece ends inside a placeholder; the pieces join to the straightened text.

    `known` may grow while the stream runs, as tools bring new values.
    """

    def __init__(self, known: Container[str]) -> None:
        self._known = known
        self._before = ""
        self._held = ""

    def feed(self, text: str) -> str:
        """Take what the model said and return what may go out now."""
        seen = self._before + self._held + text
        unfinished = _UNFINISHED.search(seen, len(self._before))
        return self._let_go(seen, unfinished.start() if unfinished else len(seen))

    def flush(self) -> str:
        """Return what was held back: nothing more will come."""
        seen = self._before + self._held
        return self._let_go(seen, len(seen))

    def _let_go(self, seen: str, end: int) -> str:
        start = len(self._before)
        # The character before matters: `EMAIL_1` is none in `MY_EMAIL_1`.
        out, done = [], start
        for match in _BENT.finditer(seen, start, end):
            out += [seen[done : match.start()], _straight(match, self._known)]
            done = match.end()
        self._before, self._held = seen[end - 1 : end], seen[end:]
        return "".join(out) + seen[done:end]
