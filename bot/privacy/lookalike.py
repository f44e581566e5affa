"""Nobody may write a placeholder by hand: it would be restored to somebody's private value."""

import re
from collections.abc import Collection

from .placeholders import KINDS

_LOOKALIKE = re.compile(
    r"\\?[<＜]\s*(?P<kind>[A-Za-z][A-Za-z_\\]{0,30}?)\\?_(?P<number>[0-9]{1,9})(?:\s*\\?[>＞])?"
    rf"|(?<![A-Za-z0-9_])(?P<bare>{'|'.join(KINDS)})\\?_(?P<digits>[0-9]{{1,9}})(?:\\?[>＞])?"
)


def harmless(text: str, kept: Collection[str]) -> str:
    """Turn what looks like a placeholder, and is none of those kept, into words that nothing restores."""

    def word(match: re.Match[str]) -> str:
        if match[0] in kept:
            return match[0]
        if match["bare"]:
            return f"{match['bare']} {match['digits']}"
        return f"‹{match['kind']} {match['number']}›"

    return _LOOKALIKE.sub(word, text)
