"""Once a night: do the windows, grants, holds and calls of the ledger agree?"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import structlog

from accounts import ledger_check
from bot import metrics
from bot.desk.reading import Reading

_KEY = "fd:ledger:night"
# What was found stays found while nights are missed.
_KEPT_SECONDS = 40 * 24 * 3600

log = structlog.get_logger(__name__)


def look(now: datetime) -> None:
    """Check, and remember what came of it until the next night. Raises RedisError."""
    # Without whose they are: the command tells that to whoever may read the database.
    kinds = Counter(found.kind for found in ledger_check.differences(now))
    log.info("ledger checked", differences=kinds.total())
    metrics.client().set(_KEY, json.dumps(kinds), ex=_KEPT_SECONDS)


def differences() -> int:
    """How many there were as of the last night. Raises RedisError."""
    return sum(_found().values())


def readings(now: datetime) -> Iterator[Reading]:
    """The same, and of which kinds. Raises RedisError."""
    found = _found()
    count = sum(found.values())
    facts = {
        "count": f"{count} difference{'' if count == 1 else 's'}",
        "kinds": ", ".join(f"{times} × {kind}" for kind, times in found.items()),
    }
    yield Reading("", count, 0, crossed=count > 0, back=not count, facts=facts)


def _found() -> dict[str, int]:
    found: dict[str, int] = json.loads(metrics.client().get(_KEY) or "{}")
    return found
