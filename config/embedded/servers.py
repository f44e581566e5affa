"""Both servers together: one process holds the data folder, and says where the servers are."""

import contextlib
import dataclasses
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from config import private
from config.embedded import EmbeddedError, InUse, Urls, announcement, postgres, redis


@contextlib.contextmanager
def servers(var: Path, *, durable: bool = True) -> Iterator[Urls]:
    """Run what `DATABASE_URL` and `REDIS_URL` do not name, with its data under `var`.

    1. Take the folder for this process alone. 2. Start PostgreSQL and Redis. 3. Write down where they are,
    for commands typed beside us. 4. At the end take that back and stop both.
    """
    var = var.resolve()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_claim(var))
        urls = Urls(
            database=os.environ.get("DATABASE_URL") or stack.enter_context(postgres.serve(var, durable)),
            redis=os.environ.get("REDIS_URL") or stack.enter_context(redis.serve(var)),
        )
        stack.enter_context(_announce(var, urls))
        yield urls


@contextlib.contextmanager
def _claim(var: Path) -> Iterator[None]:
    try:
        var.mkdir(parents=True, exist_ok=True)
        lock = (var / "lock").open("a+")
    except PermissionError as error:
        raise EmbeddedError(f"{error.filename} belongs to another account: set FRONTDESK_VAR.") from None
    except OSError as error:
        raise EmbeddedError(f"{var} cannot hold the data ({error.strerror}): set FRONTDESK_VAR.") from None
    with lock:
        try:
            # lockf rather than flock: a forked child does not keep the lock of a killed parent.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise InUse(
                f"The data folder {var} is in use by process {lock.read().strip()}: "
                "stop that one first, or set FRONTDESK_VAR to another folder."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextlib.contextmanager
def _announce(var: Path, urls: Urls) -> Iterator[None]:
    path = announcement(var)
    private.write(path, json.dumps({"pid": os.getpid(), **dataclasses.asdict(urls)}))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
