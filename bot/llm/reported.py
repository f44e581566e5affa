"""What a provider says a call has used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Beyond any context on offer: whoever reports more has miscounted.
MOST_SENSIBLE = 20_000_000


@dataclass(frozen=True, slots=True)
class Reported:
    """The provider's own count; what it has not told is None."""

    input: int | None
    cached: int
    output: int | None
    reasoning: int

    @property
    def sensible(self) -> bool:
        return max(self.input or 0, self.output or 0) <= MOST_SENSIBLE


def read(reported: object) -> Reported | None:
    """What an event says of it; None when it says nothing that can be read."""
    usage = _dict(reported)
    # Nothing is asked without a prompt: none is no count.
    taken, made = _count(usage.get("prompt_tokens")) or None, _count(usage.get("completion_tokens"))
    if taken is None and not made:
        return None
    cached = _count(_dict(usage.get("prompt_tokens_details")).get("cached_tokens"))
    cached = cached or _count(usage.get("prompt_cache_hit_tokens")) or 0
    thought = _count(_dict(usage.get("completion_tokens_details")).get("reasoning_tokens")) or 0
    if thought and _count(usage.get("total_tokens")) == (taken or 0) + (made or 0) + thought:
        made = (made or 0) + thought  # Gemini and Grok leave thoughts out of the output but not of the total
    return Reported(taken, min(cached, taken or 0), made, min(thought, made or 0))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
