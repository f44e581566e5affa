"""The whole product, started and stopped as a person would with `make run`."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import psutil
import psycopg
import redis

from config.embedded import children
from tests import who

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")  # all that the product sees of our environment
READY = "Frontdesk is ready"
PATIENCE = 180  # seconds


class Product:
    """A running product: its addresses, its secrets, and a look into its stores."""

    def __init__(self, var: Path, model_url: str) -> None:
        self.var = var
        self.port = _free_ports(3)
        self.own = f"http://127.0.0.1:{self.port}"
        self.shop = f"http://127.0.0.1:{self.port + 1}"
        self.password = secrets.token_urlsafe(12)
        self.secret = secrets.token_urlsafe(32)
        self.output: list[str] = []
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "config.run"],
            cwd=ROOT,
            env=self._environment(model_url),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=children.follow_parent(signal.SIGTERM),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _environment(self, model_url: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return kept | {
            "FRONTDESK_VAR": str(self.var),
            "PORT": str(self.port),
            "DEMO_PASSWORD": self.password,
            "DEMO_IDENTITY_SECRET": self.secret,
            "OPENAI_API_KEY": "test",
            "OPENAI_BASE_URL": model_url,
            # Answers are held for longer than a model may be silent.
            "SILENCE_DEADLINE": "60",
            "PYTHONUNBUFFERED": "1",
        }

    def wait_until_ready(self) -> None:
        assert self._ready.wait(PATIENCE), f"not ready in {PATIENCE} s:\n{self.log}"
        assert self._process.poll() is None, f"it did not start:\n{self.log}"

    @property
    def log(self) -> str:
        return "".join(self.output)

    def stop(self) -> list[str]:
        """Press Ctrl-C, wait for the end, and name the processes that outlived it."""
        try:
            main = psutil.Process(self._process.pid)
            family = [main, *main.children(recursive=True)]
        except psutil.NoSuchProcess:
            family = []
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reader.join(10)
        if self._process.stdout:
            self._process.stdout.close()
        _, alive = psutil.wait_procs(family, timeout=5)
        return [_describe(process) for process in alive if process.status() != psutil.STATUS_ZOMBIE]

    def identity(self, sub: str, **claims: Any) -> str:
        """What the shop's server would sign for a customer who has no button there."""
        facts = {"aud": "frontdesk", "sub": sub, "exp": time.time() + 300}
        return jwt.encode({**facts, **claims}, self.secret, algorithm="HS256")

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self._urls["database"]) as connection:
            return connection.execute(query, values).fetchall()  # type: ignore[arg-type]

    def customer(self, sub: str) -> UUID:
        """The customer whom the shop calls so."""
        return self.customers()[sub]

    def customers(self) -> dict[str, UUID]:
        made = json.loads((self.var / "secrets.json").read_text())
        return who.customers(self._urls["database"], made["DATA_KEYS"])

    def redis(self) -> "redis.Redis":
        return redis.Redis.from_url(self._urls["redis"])

    @property
    def _urls(self) -> dict[str, str]:
        return dict(json.loads((self.var / "servers.json").read_text()))

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.output.append(line)
            if READY in line:
                self._ready.set()
        self._ready.set()  # it ended: whoever waits looks why


def _free_ports(count: int) -> int:
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


def _describe(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())}"
    except psutil.NoSuchProcess:
        return f"{process.pid}"
