"""The product's PostgreSQL and Redis, which can be stopped, killed, emptied and started again in place.

The product reaches them through a wire (`proxy`); the tests by `url`, past it.
"""

import signal
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
import redis

from config.embedded import children
from config.embedded import postgres as embedded_postgres
from config.embedded import redis as embedded_redis
from tests.faults import proxy


class Postgres:
    def __init__(self, var: Path) -> None:
        self._var, self._running = var, ExitStack()
        self.url = ""
        self.start()
        parts = urlsplit(self.url)
        folder = Path(parse_qs(parts.query)["host"][0])
        self.wire = proxy.to_file(str(folder / embedded_postgres.SOCKET_NAME))
        self.wired_url = (
            f"postgresql://{parts.username}@127.0.0.1:{self.wire.port}{parts.path}?sslmode=disable"
        )

    def start(self) -> None:
        self.url = self._running.enter_context(embedded_postgres.serve(self._var, durable=True))

    def stop(self) -> None:
        """A fast shutdown: every session is ended, what was committed is kept."""
        self._running.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        self.wire.close()
        self.stop()

    def connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self.url, autocommit=True)

    @property
    def first(self) -> psutil.Process:
        """The process that all others of this server come from."""
        pid = int((self._var / "postgres" / "postmaster.pid").read_text().split()[0])
        return psutil.Process(pid)


class Redis:
    def __init__(self, var: Path) -> None:
        self._folder, self._log = var / "redis", var / "redis.log"
        self._first = ExitStack()
        self.url = self._first.enter_context(embedded_redis.serve(var))
        parts = urlsplit(self.url)
        self._port = parts.port or 0
        self.wire = proxy.to_port(self._port)
        self.wired_url = self.url.replace(f":{self._port}/", f":{self.wire.port}/")
        [self._process] = [one for one in psutil.process_iter() if self._is_ours(one)]
        self._program = self._process.exe()
        self._again: list[children.subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """On the same port, with the same password, and with the data that were saved."""
        command = [self._program, str(self._folder / "redis.conf")]
        running = children.spawn(command, folder=self._folder, log=self._log, on_parent_death=signal.SIGTERM)
        children.wait_until("Redis", running, self._log, self._answers)
        self._again.append(running)
        self._process = psutil.Process(running.pid)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def restart_empty(self) -> None:
        self.kill()
        self.empty()
        self.start()

    def empty(self) -> None:
        """What it has saved is gone."""
        (self._folder / "dump.rdb").unlink(missing_ok=True)

    @property
    def runs(self) -> bool:
        return self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=10)

    def close(self) -> None:
        self.wire.close()
        for running in self._again:
            children.stop(running, signal.SIGTERM)
        self._first.close()

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.name() in embedded_redis.NAMES and Path(process.cwd()) == self._folder
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
