"""Once a night: do the windows, grants, holds and calls of the ledger agree?"""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog

from accounts import ledger_check
from bot import metrics
from bot.desk.reading import Reading

# When few write to it (UTC), and the windows that end at midnight have ended nearly everywhere.
_AT = timedelta(hours=3)
_KEY = "fd:ledger:night"
_KEPT_SECONDS = 3 * 24 * 3600

log = structlog.get_logger(__name__)


def differences(now: datetime) -> Iterator[Reading]:
    """How many of them as of tonight; the other looks repeat what came of the first. Raises RedisError."""
    night = f"{now - _AT:%Y-%m-%d}"
    kept = json.loads(metrics.client().get(_KEY) or "{}")
    if kept.get("night") != night:
        kept = {"night": night, "kinds": _kinds(now)}
        metrics.client().set(_KEY, json.dumps(kept), ex=_KEPT_SECONDS)
    kinds: dict[str, int] = kept["kinds"]
    count = sum(kinds.values())
    told = ", ".join(f"{times} × {kind}" for kind, times in kinds.items())
    facts = {"kinds": told, "count": f"{count} difference{'' if count == 1 else 's'}"}
    yield Reading("", count, 0, crossed=count > 0, back=not count, facts=facts)


def _kinds(now: datetime) -> dict[str, int]:
    """Without whose they are: the command tells that to whoever may read the database."""
    kinds = Counter(found.kind for found in ledger_check.differences(now))
    log.info("ledger checked", differences=kinds.total())
    return dict(kinds)
