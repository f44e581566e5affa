"""ORM calls of the sockets, in a bounded pool of threads: one slow query must not stall every socket."""

from collections.abc import Callable
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
