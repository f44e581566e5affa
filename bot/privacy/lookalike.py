"""Nobody may write a placeholder by hand: it would be restored to somebody's private value."""

import re
from collections.abc import Collection

from .placeholders import PLACEHOLDER
from .straighten import straighten


class _Any:
    """Takes every placeholder for one of the conversation's."""

    def __contains__(self, placeholder: object) -> bool:
        return True


def harmless(text: str, kept: Collection[str] = ()) -> str:
    """Turn what is, or would be bent into, a placeholder into words; those that are kept stay as they are."""

    def word(match: re.Match[str]) -> str:
        return match[0] if match[0] in kept else f"‹{match[1]} {match[2]}›"

    straight = straighten(text, _Any())
    if straight == text and not PLACEHOLDER.search(text):
        return text
    return PLACEHOLDER.sub(word, straight)
