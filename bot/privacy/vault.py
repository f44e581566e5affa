"""The encrypted map of one conversation's placeholders: the same value always gets the same placeholder."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from uuid import UUID

from django.db import connection
from django.db.models import Max

from bot.models.conversation import VaultEntry

from .errors import VaultError
from .placeholders import write
from .sealing import Sealer

# Another thread of the same conversation may take a number first; each round somebody gets one.
MOST_ROUNDS = 25

# Values opened lately, so that each turn of a long conversation does not open all of them again.
OPENED = 4096

_NAMES = "SELECT kind, number FROM bot_vaultentry WHERE conversation_id = %s"

Pair = tuple[str, str]


class Vault:
    """Reserves placeholders by inserting rows, so that threads and processes agree without a lock."""

    def __init__(self, conversation_id: UUID, data_key: bytes) -> None:
        self._conversation_id = conversation_id
        self._data_key = data_key
        self._sealer = Sealer(data_key)
        self._seen: dict[bytes, str] = {}

    def placeholder(self, kind: str, value: str) -> str:
        return self.placeholders([(kind, value)])[0]

    def placeholders(self, pairs: Sequence[Pair]) -> list[str]:
        """Return a placeholder for each (kind, value), by one query where all of them are stored already."""
        digests = [self._sealer.digest(kind, value) for kind, value in pairs]
        first: dict[bytes, Pair] = {}
        for digest, pair in zip(digests, pairs, strict=True):
            first.setdefault(digest, pair)
        for _ in range(MOST_ROUNDS):
            missing = {digest: pair for digest, pair in first.items() if digest not in self._seen}
            if not missing:
                return [self._seen[digest] for digest in digests]
            if not self._look_up(missing):
                self._insert(missing)
        raise VaultError("no free number for a placeholder")

    def values(self) -> dict[str, str]:
        """Return every placeholder of the conversation with its value."""
        rows = VaultEntry.objects.filter(conversation_id=self._conversation_id)
        return {
            write(kind, number): _opened(self._data_key, bytes(sealed))
            for kind, number, sealed in rows.values_list("kind", "number", "sealed")
        }

    def names(self) -> set[str]:
        """Return every placeholder of the conversation; opens no value."""
        with connection.cursor() as cursor:
            cursor.execute(_NAMES, [self._conversation_id])
            return {write(kind, number) for kind, number in cursor.fetchall()}

    def _look_up(self, missing: Mapping[bytes, Pair]) -> bool:
        """Learn the stored ones among these digests; tell whether that was all of them."""
        rows = VaultEntry.objects.filter(conversation_id=self._conversation_id, digest__in=list(missing))
        found = rows.values_list("digest", "kind", "number")
        self._seen |= {bytes(digest): write(kind, number) for digest, kind, number in found}
        return missing.keys() <= self._seen.keys()

    def _insert(self, missing: Mapping[bytes, Pair]) -> None:
        """Try to take the next numbers; who loses a race looks again."""
        last = VaultEntry.objects.filter(conversation_id=self._conversation_id).values_list("kind")
        numbers = dict(last.annotate(Max("number")))
        entries = []
        for digest, (kind, value) in missing.items():
            if digest in self._seen:
                continue
            numbers[kind] = numbers.get(kind, 0) + 1
            entries.append(
                VaultEntry(
                    conversation_id=self._conversation_id,
                    kind=kind,
                    number=numbers[kind],
                    sealed=self._sealer.seal(value),
                    digest=digest,
                )
            )
        VaultEntry.objects.bulk_create(entries, ignore_conflicts=True)


@lru_cache(maxsize=OPENED)
def _opened(data_key: bytes, sealed: bytes) -> str:
    return Sealer(data_key).unseal(sealed)
