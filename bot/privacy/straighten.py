"""Bend back the placeholders that a model bent, also in a stream.

In angle brackets, or what stands for them, it writes `<email_1>`, `< EMAIL_1 >`, `<EMAIL\\_1>`, `<EMAIL 1>`,
`&lt;EMAIL_1&gt;`, `＜EMAIL＿1＞` or `<EMAIL_1's>`; in others `[EMAIL_1]`, `{EMAIL_1}`; or `EMAIL_1`.
"""

import re
import unicodedata
from collections.abc import Container

from .placeholders import KINDS, PLACEHOLDER, write

# Characters that nobody sees, which some models put between those one does.
_UNSEEN = "[\u00ad\u200b-\u200d\u2060\ufeff]?"
_NAMES = {kind.replace("_", ""): kind for kind in sorted(KINDS, key=len, reverse=True)}
_WIDE = {chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)}

# Without brackets, `CARD_402` or `ADDRESS_2` may be an error's code or a field's name.
_CODES = {"CARD", "BANK", "IP", "ADDRESS", "SECRET", "PRIVATE"}
_CAPITALS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

Atoms = list[str]


def _any_case(kind: str) -> Atoms:
    """The characters of a kind, in brackets: in any case and width, its own `_` as loose as the last one."""
    written = []
    for char in kind:
        if char == "_":
            written += [r"\\?", "[_＿ -]?"]
        else:
            written.append(f"[{char}{char.lower()}{_WIDE[char]}{_WIDE[char.lower()]}]")
    return [one + _UNSEEN for one in written]


def _exact(kind: str) -> Atoms:
    """As it is, or with the `_` escaped for markdown: without brackets, `email_1` may be a field's name."""
    return [atom for char in kind for atom in ([r"\\?", "_"] if char == "_" else [char])]


def _begun(atoms: Atoms, then: str = "") -> str:
    """A pattern for everything that may grow into these atoms, and into what may follow them."""
    for atom in reversed(atoms):
        then = f"(?:{atom}{then})?"
    return then


def _or(patterns: list[str]) -> str:
    return f"(?:{'|'.join(patterns)})"


_LOOSE, _STRICT = ([spell(kind) for kind in _NAMES.values()] for spell in (_any_case, _exact))
_LOOSE_KIND, _STRICT_KIND = (_or(["".join(atoms) for atoms in kinds]) for kinds in (_LOOSE, _STRICT))
_ANGLES: list[Atoms] = [[r"\\?", "[<＜〈]"], list("&lt;"), list("&#60;")]
# A backslash before a placeholder that is straight is somebody's own.
_ANGLE = rf"(?:(?:\\(?!{PLACEHOLDER.pattern.replace('(', '(?:')}))?[<＜〈]|&lt;|&#60;)"
_SPACE = f" {{0,2}}{_UNSEEN}"
_NUMBER = "[0-9０-９]{1,6}"
_ENDS = "(?![A-Za-z0-9_])"
_CLOSE = rf"{_UNSEEN} {{0,2}}/?\\?(?:[>＞〉]|&gt;|&#62;)"
_SQUARE = r"(?:\\?\[|\{(?P<twice>\{)?)"
_BARE_START = "(?<![A-Za-z0-9_<＜])"

_BENT = re.compile(
    # In angle brackets, of which the second may be missing where `_` says what it is.
    rf"{_ANGLE}{_SPACE}(?P<angle>{_LOOSE_KIND})"
    rf"(?:\\?[_＿]{_UNSEEN}(?P<joined>{_NUMBER}){_ENDS}(?P<own>['’]s)?(?:{_CLOSE})?"
    rf"|[ -]?(?P<spaced>{_NUMBER}){_CLOSE})"
    # In others, but not as the text of a link.
    rf"|{_SQUARE}(?P<square>{_LOOSE_KIND})\\?[_＿](?P<squared>{_NUMBER})\\?(?:\](?!\()|\}}(?(twice)\}}))"
    rf"|{_BARE_START}(?P<bare>{_STRICT_KIND})\\?_(?P<digits>[0-9]{{1,6}}){_ENDS}(?:\\?[>＞])?"
)
# What the end of a text may be the beginning of: a bent placeholder, or any placeholder at all.
_AFTER_ANGLE = [r"\\?", f"[_＿ -]?{_UNSEEN}", _NUMBER, "['’]?", "s?", _UNSEEN, " {0,2}", "/?", r"\\?"]
_UNFINISHED = re.compile(
    _or(
        [
            *(_begun(atoms) for atoms in _ANGLES),
            _ANGLE
            + _SPACE
            + _or([_begun([*kind, *_AFTER_ANGLE, "&", "[g#]", "[t6]", "2?"]) for kind in _LOOSE]),
            _begun([r"\\?", r"\[|\{\{?"]),
            _SQUARE.replace("?P<twice>", "?:")
            + _or([_begun([*kind, r"\\?", "[_＿]", _NUMBER, r"\\?", r"[\]}]"]) for kind in _LOOSE]),
            _BARE_START + _or([_begun([*kind, r"\\?", "_", "[0-9]{1,6}", r"\\?"]) for kind in _STRICT]),
            "<(?:[A-Z][A-Z_]{0,23}(?:(?<=_)[0-9]{1,6})?)?",
        ]
    )
    + r"\Z"
)
_START = re.compile(r"[<＜〈&\[{\\" + "".join({kind[0] for kind in KINDS}) + "]")
_DIGIT = re.compile("[0-9０-９]")
# No beginning is longer, so nothing before that need be looked at again.
MOST_HELD = 64


def straighten(text: str, known: Container[str]) -> str:
    """Return the text with bent placeholders made straight.

    So are unknown ones: who shows them finds a neutral word. Only what may be a code has to be known.
    """
    return _BENT.sub(lambda match: _straight(match, known), text)


def _straight(match: re.Match[str], known: Container[str]) -> str:
    kind, number = _meant(match)
    placeholder = write(kind, number)
    if match["bare"] and kind in _CODES and placeholder not in known:
        return match[0]
    return placeholder + (match["own"] or "")


def _meant(match: re.Match[str]) -> tuple[str, int]:
    """The kind and the number of a bent placeholder."""
    written = unicodedata.normalize("NFKC", match["angle"] or match["square"] or match["bare"]).upper()
    digits = match["joined"] or match["spaced"] or match["squared"] or match["digits"]
    return _NAMES["".join(char for char in written if char in _CAPITALS)], int(digits)


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
        start = max(len(self._before), len(seen) - MOST_HELD)
        # Most pieces hold nothing that a placeholder begins with, and that is soon seen.
        first = _START.search(seen, start)
        unfinished = _UNFINISHED.search(seen, first.start()) if first else None
        return self._let_go(seen, unfinished.start() if unfinished else len(seen))

    def flush(self) -> str:
        """Return what was held back: nothing more will come."""
        seen = self._before + self._held
        return self._let_go(seen, len(seen))

    def _let_go(self, seen: str, end: int) -> str:
        start = len(self._before)
        # The character before matters: `EMAIL_1` is none in `MY_EMAIL_1`.
        self._before, self._held = seen[end - 1 : end], seen[end:]
        if not _DIGIT.search(seen, start, end):
            return seen[start:end]
        out, done = [], start
        for match in _BENT.finditer(seen, start, end):
            out += [seen[done : match.start()], _straight(match, self._known)]
            done = match.end()
        return "".join(out) + seen[done:end]
