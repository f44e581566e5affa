"""Asking the database no longer than is bearable: a pool whose server is gone makes everybody wait."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from django.db import connection

SECONDS = 2.0
# Questions that hang keep their thread until the pool gives up; so many may.
_threads = threading.BoundedSemaphore(4)

Answer = TypeVar("Answer")


def within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns or raises; TimeoutError when it takes longer. It runs in a thread of its own."""
    if not _threads.acquire(blocking=False):
        raise TimeoutError("Too many questions have no answer yet")
    answer: Future[Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)
        finally:
            connection.close()
            _threads.release()

    threading.Thread(target=run, name="within", daemon=True).start()
    return answer.result(timeout=seconds)
