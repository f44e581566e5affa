"""Once a night: does the audit log still hold, and has it only grown since the night before?"""

import json
from datetime import datetime

import structlog

from accounts import audit
from bot import metrics

# Outside the database, so that whoever can cut the log's end there does not also change what was seen of it.
_KEY = "fd:audit:night"
_KEPT_SECONDS = 40 * 24 * 3600

log = structlog.get_logger(__name__)


def wrong(now: datetime) -> int | None:
    """The first entry that is missing or not as it was written, as of tonight. Raises RedisError.

    It reads the whole log at the first look of a day (UTC); the other looks repeat what came of it.
    """
    seen = json.loads(metrics.client().get(_KEY) or "{}")
    if seen.get("day") != f"{now:%Y-%m-%d}":
        seen = _look(now, seen)
    found: int | None = seen["wrong"]
    return found


def _look(now: datetime, before: dict[str, str | int]) -> dict[str, str | int | None]:
    kept = audit.Head(int(before["number"]), str(before["digest"])) if before else None
    found = audit.verify(kept)
    # Logs are kept elsewhere: with the head in them, a cut is seen even where Redis was emptied.
    log.info("audit log verified", wrong=found.wrong, head=f"{found.head}")
    seen = {"day": f"{now:%Y-%m-%d}", "wrong": found.wrong}
    # A log that was cut stays wrong: what was seen of it is not forgotten for what is left.
    kept = kept if kept and found.wrong is not None else found.head
    seen |= {"number": kept.number, "digest": kept.digest}
    metrics.client().set(_KEY, json.dumps(seen), ex=_KEPT_SECONDS)
    return seen
