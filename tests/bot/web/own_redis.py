"""A Redis of a test's own, which it may stop, start again empty on the same port, and cut off."""

import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from config.embedded.redis import _free_port, _program


class OwnRedis:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = _free_port()
        self._running: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Empty, and ready when this returns."""
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._running = subprocess.Popen([_program(), *options], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise TimeoutError("Redis does not start")

    def stop(self) -> None:
        """Killed: nothing is saved, and nobody is told."""
        if self._running:
            self._running.kill()
            self._running.wait()
            self._running = None

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)
