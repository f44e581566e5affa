"""The web process begins with the right keys, and ends when what it has told Redis is on its way."""

import asyncio
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError

from accounts import keys
from bot import metrics
from bot.outbox import outbox
from bot.web.threads import in_thread

FLUSH_SECONDS = 2

log = structlog.get_logger(__name__)


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """With keys that open nothing it does not begin.

    When it is told to end, the server has closed its sockets and finished its requests.
    """
    await receive()
    try:
        await in_thread(_check_keys)
    except keys.WrongKeys as error:
        await send({"type": "lifespan.startup.failed", "message": f"Frontdesk cannot start:\n  - {error}"})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await asyncio.to_thread(outbox().flush, FLUSH_SECONDS)
    await asyncio.to_thread(metrics.leave)
    await send({"type": "lifespan.shutdown.complete"})


def _check_keys() -> None:
    try:
        keys.check()
    except (DatabaseError, InterfaceError) as error:
        # It serves what it can, and workers check again.
        log.warning("keys not checked", error=type(error).__name__)
