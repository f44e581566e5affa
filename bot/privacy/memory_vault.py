"""The vault's double: placeholders kept in memory, for tests and for text that belongs to no conversation."""

from collections import Counter
from collections.abc import Sequence

from .placeholders import normalise, write


class MemoryVault:
    """Gives the same placeholders as a vault, and forgets them with the process."""

    def __init__(self) -> None:
        self._placeholders: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._numbers: Counter[str] = Counter()

    def placeholder(self, kind: str, value: str) -> str:
        return self.placeholders([(kind, value)])[0]

    def placeholders(self, pairs: Sequence[tuple[str, str]]) -> list[str]:
        return [self._one(kind, value) for kind, value in pairs]

    def values(self) -> dict[str, str]:
        return dict(self._values)

    def names(self) -> set[str]:
        return set(self._values)

    def _one(self, kind: str, value: str) -> str:
        key = (kind, normalise(kind, value))
        if key not in self._placeholders:
            self._numbers[kind] += 1
            self._placeholders[key] = write(kind, self._numbers[kind])
            self._values[self._placeholders[key]] = value
        return self._placeholders[key]
