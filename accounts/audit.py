"""The audit log: who did what with private data and settings, in a chain that shows every later change."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Literal, TypeAlias

from cryptography.fernet import Fernet, InvalidToken
from django.db import connection, transaction
from django.utils import timezone

from accounts import keys
from accounts.models import AuditEntry, Customer, User

Action: TypeAlias = Literal[
    "reveal_value",
    "reveal_message",
    "export",
    "erase",
    "retention",
    "rotate_keys",
    "site_changed",
    "staff_changed",
    "tier_changed",
    "customer_changed",
    "grant_given",
    "grant_withdrawn",
    "provider_changed",
    "price_changed",
    "hold_released",
    "limit_changed",
    "deployment_changed",
    "spending_stopped",
    "spending_allowed",
]

# Any number will do that nothing else in the database takes.
_LOCK = 0x4644_4155_4449_5400
_BEFORE_THE_FIRST = bytes(32)
_ROWS = 500


@dataclass(frozen=True)
class Head:
    """An entry and its digest: whoever keeps it outside notices when the log ends earlier."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


@dataclass(frozen=True)
class Verified:
    """How far the chain holds; `wrong` is the first number that was changed or is missing."""

    count: int
    head: Head
    wrong: int | None


def record(
    actor: User | Customer | None, action: Action, subject: str, *, reason: str = "", **detail: Any
) -> None:
    """Write one entry; inside the caller's transaction, deed and record stand or fall together.

    It takes a lock that is held until that transaction ends: all who record wait for each other, so record
    last, and do not wait for anything afterwards.
    """
    who, name = _who(actor)
    with transaction.atomic():
        last = _lock()
        entry = AuditEntry(
            number=last.number + 1,
            at=timezone.now(),
            actor=who,
            actor_name=name,
            action=action,
            subject=subject,
            sealed_reason=_sealer().encrypt(reason.encode()) if reason else b"",
            detail=_plain(detail),
        )
        entry.digest = _digest(bytes.fromhex(last.digest), entry, reason)
        entry.save(force_insert=True)


def head() -> Head:
    """The newest entry, to be written down outside."""
    newest = AuditEntry.objects.order_by("-number").values_list("number", "digest").first()
    return Head(newest[0], bytes(newest[1]).hex()) if newest else Head(0, _BEFORE_THE_FIRST.hex())


def reason(entry: AuditEntry) -> str:
    """Why it was done. Raises InvalidToken where what is stored was not written by us."""
    return _sealer().decrypt(bytes(entry.sealed_reason)).decode() if entry.sealed_reason else ""


def verify(kept: Head | None = None) -> Verified:
    """Read the whole log and find the first entry that is not as it was written.

    Entries cut off from the end leave a chain that holds: only a head kept outside tells.
    """
    reached = Head(0, _BEFORE_THE_FIRST.hex())
    for entry in AuditEntry.objects.order_by("number").iterator(chunk_size=_ROWS):
        if entry.number != reached.number + 1 or not _holds(entry, reached):
            return Verified(reached.number, reached, reached.number + 1)
        reached = Head(entry.number, bytes(entry.digest).hex())
        if kept and kept.number == reached.number and kept.digest != reached.digest:
            return Verified(reached.number - 1, reached, reached.number)
    cut = kept is not None and kept.number > reached.number
    return Verified(reached.number, reached, reached.number + 1 if cut else None)


def _who(actor: User | Customer | None) -> tuple[str, str]:
    """Staff by name; customers only by number, since the entry outlives their erasure."""
    if isinstance(actor, User):
        return f"staff:{actor.pk}", str(actor)[:100]
    return (f"customer:{actor.pk}" if actor else "system"), ""


def _lock() -> Head:
    """Wait until nobody else is recording; then the newest entry is the newest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    return head()


def _holds(entry: AuditEntry, before: Head) -> bool:
    try:
        written = _digest(bytes.fromhex(before.digest), entry, reason(entry))
    except InvalidToken:
        return False
    return hmac.compare_digest(written, bytes(entry.digest))


def _digest(before: bytes, entry: AuditEntry, reason: str) -> bytes:
    """Of the entry as it is meant: its reason in plain, since sealed text is never the same twice."""
    said = [
        entry.number,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor,
        entry.actor_name,
        entry.action,
        entry.subject,
        reason,
        entry.detail,
    ]
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hmac.digest(keys.key("audit"), before + canonical.encode(), hashlib.sha256)


def _plain(detail: dict[str, Any]) -> Any:
    """As it comes back from the database, which writes fractions its own way: those become text."""
    return json.loads(json.dumps(detail, default=str), parse_float=str, parse_constant=str)


def _sealer() -> Fernet:
    return Fernet(keys.key("audit"))
