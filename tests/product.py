"""The product's processes as production runs them, for the benchmarks and for the faults."""

import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import jwt

from config.embedded import Urls, children

KEPT = ("PATH", "HOME", "LANG", "TMPDIR")  # all that the product sees of our environment
ORIGIN = "https://desk.example.com"
READY_SECONDS = 120


def environment(var: Path, urls: Urls, **settings: str) -> dict[str, str]:
    """Production's, for DEBUG costs time; nothing of the developer's shell."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DATA_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "PUBLIC_URL": ORIGIN,
        "ALLOWED_HOSTS": "127.0.0.1",
        "FRONTDESK_VAR": str(var),
        "DATABASE_URL": urls.database,
        "REDIS_URL": urls.redis,
        "NO_PROXY": "127.0.0.1",
        "SEED_SECRET": secrets.token_urlsafe(32),
        **settings,
    }


def web(port: int) -> list[str]:
    """As docs/operating.md has it."""
    command = ["uvicorn", "config.asgi:application", "--port", str(port)]
    command += ["--ws", "websockets-sansio", "--ws-max-size", "65536", "--ws-max-queue", "8"]
    command += ["--ws-per-message-deflate", "false", "--no-proxy-headers", "--no-access-log"]
    return [*command, "--log-level", "warning", "--timeout-graceful-shutdown", "10"]


def worker(concurrency: int) -> list[str]:
    command = ["celery", "--quiet", "--skip-checks", "-A", "config", "worker", "--pool", "threads"]
    command += ["--concurrency", str(concurrency), "--prefetch-multiplier", "1", "--loglevel", "WARNING"]
    return [*command, "--without-gossip", "--without-mingle", "--without-heartbeat"]


def beat(var: Path) -> list[str]:
    return ["celery", "--quiet", "-A", "config", "beat", "--schedule", str(var / "beat"), "--pidfile="]


def run(module: Sequence[str], environment: dict[str, str]) -> None:
    subprocess.run(_command(module), env=environment, check=True)


class Process:
    """One process of the product: started, stopped in every way, and started again."""

    def __init__(self, name: str, module: Sequence[str], environment: dict[str, str], var: Path) -> None:
        self.name = name
        self.log = var / f"{name}.log"
        self._module, self._environment = module, environment
        self._running: subprocess.Popen[bytes] | None = None
        self._told_to_end = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def last_words(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text().splitlines()[-lines:])

    @property
    def pid(self) -> int:
        assert self._running is not None
        return self._running.pid

    @property
    def runs(self) -> bool:
        return self._running is not None and self._running.poll() is None

    @property
    def crashed(self) -> bool:
        """Whether it has ended and nobody had told it to."""
        return not self.runs and not self._told_to_end

    def start(self) -> None:
        """Start it; it dies with the thread that does."""
        self._told_to_end = False
        with self.log.open("ab") as output:
            self._running = subprocess.Popen(
                _command(self._module),
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=children.follow_parent(signal.SIGTERM),
            )

    def stop(self) -> None:
        self._told_to_end = True
        if self._running is not None:
            self._running.send_signal(signal.SIGCONT)
            children.stop(self._running, signal.SIGTERM)

    def send(self, request: signal.Signals) -> None:
        self._told_to_end = self._told_to_end or request in (signal.SIGTERM, signal.SIGKILL)
        assert self._running is not None
        self._running.send_signal(request)

    def kill(self) -> None:
        """As the kernel does when memory runs out: no goodbye."""
        self.send(signal.SIGKILL)
        self.wait(10)

    def wait(self, seconds: float) -> int:
        assert self._running is not None
        return self._running.wait(seconds)


class NotReady(Exception):
    """The product did not start; the text is what its processes said last."""


def wait_until(
    ready: Callable[[], bool], processes: Sequence[Process], seconds: float, *, again: bool = False
) -> None:
    """Wait for processes that were just started; when one gives up, show what it said.

    With `again` somebody starts anew what gives up.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        gave_up = not again and not all(process.runs for process in processes)
        if gave_up or time.monotonic() > deadline:
            logs = "\n".join(f"{process.name}:\n{process.last_words()}" for process in processes)
            raise NotReady(f"The product did not start:\n{logs}")
        time.sleep(0.1)


def answers(port: int, path: str = "/health/ready") -> bool:
    """Whether a web process says that the product can answer."""
    address = f"http://127.0.0.1:{port}{path}"
    with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def identity(secret: str, sub: str, **claims: object) -> str:
    """What the site's server signs for a customer."""
    facts = {"aud": "frontdesk", "sub": sub, "exp": time.time() + 300}
    return jwt.encode({**facts, **claims}, secret, algorithm="HS256")


def free_ports(count: int) -> int:
    """The first of so many free ports in a row."""
    while True:
        with ExitStack() as stack:
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            try:
                for offset in range(1, count):
                    stack.enter_context(socket.create_server(("127.0.0.1", first + offset)))
            except OSError:
                continue
            return int(first)


def _command(module: Sequence[str]) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", *module]
