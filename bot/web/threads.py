"""ORM calls of the sockets, in a bounded pool of threads: one slow query must not stall every socket."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from channels.db import DatabaseSyncToAsync
from django.conf import settings

P = ParamSpec("P")
R = TypeVar("R")

_POOL = ThreadPoolExecutor(settings.ENV.DATABASE_POOL, thread_name_prefix="database")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function that reads or writes the database, and give its connection back."""
    return await DatabaseSyncToAsync(function, thread_sensitive=False, executor=_POOL)(*args, **kwargs)


async def cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: `in_thread`, and `asyncio.wait_for`, may swallow it once."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=0.1)
