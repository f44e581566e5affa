"""The web process ends: what its last requests have told Redis is on its way before it goes."""

import asyncio
from typing import Any

from bot import metrics
from bot.outbox import outbox

FLUSH_SECONDS = 2


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """By now the server has closed its sockets and finished its requests."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await asyncio.to_thread(outbox().flush, FLUSH_SECONDS)
    await asyncio.to_thread(metrics.leave)
    await send({"type": "lifespan.shutdown.complete"})
