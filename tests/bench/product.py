"""The product as it runs in production, with a model of known speed, in processes of their own."""

import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from config.embedded import Urls, children
from config.embedded.servers import servers

KEPT = ("PATH", "HOME", "LANG", "TMPDIR")
READY_SECONDS = 120
ORIGIN = "https://desk.example.com"


@dataclass(frozen=True)
class Speed:
    """How fast the model is, in seconds, and how many tokens each of its answers has."""

    first_token: float
    pace: float
    tokens: int

    @property
    def answer_seconds(self) -> float:
        return self.first_token + self.pace * (self.tokens - 1)


@dataclass(frozen=True)
class Product:
    """A running product; `processes` are what it consists of, by name."""

    port: int
    urls: Urls
    secret: str
    processes: dict[str, list[psutil.Process]]

    @property
    def socket(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/chat/bench/"


@contextmanager
def running(var: Path, speed: Speed, concurrency: int) -> Iterator[Product]:
    """1. The data servers. 2. A site and its model. 3. Model, web and worker, until they are ready."""
    with ExitStack() as stack:
        urls = stack.enter_context(servers(var))
        web_port, model_port = _free_ports(2), _free_ports(1)
        environment = _environment(var, urls, web_port, model_port)
        secret = environment["BENCH_SECRET"]
        _run(["tests.bench.seed"], environment)
        model = ["tests.upstream", "--port", str(model_port), "--first-token", str(speed.first_token)]
        stack.enter_context(_started(environment, [*model, *_rest(speed)], var / "model.log"))
        web = stack.enter_context(_started(environment, ["demo.serve"], var / "web.log"))
        worker = stack.enter_context(_started(environment, _worker(concurrency), var / "worker.log"))
        _wait_until_ready(web_port, [web, worker], var, environment)
        yield Product(web_port, urls, secret, _processes(web.pid, worker.pid))


def _rest(speed: Speed) -> list[str]:
    return ["--pace", str(speed.pace), "--tokens", str(speed.tokens)]


def _worker(concurrency: int) -> list[str]:
    command = ["celery", "--quiet", "--skip-checks", "-A", "config", "worker", "--pool", "threads"]
    command += ["--concurrency", str(concurrency), "--prefetch-multiplier", "1", "--loglevel", "WARNING"]
    return [*command, "--without-gossip", "--without-mingle", "--without-heartbeat"]


def _environment(var: Path, urls: Urls, web_port: int, model_port: int) -> dict[str, str]:
    """Production's, for DEBUG costs time; nothing of the developer's shell."""
    return {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DATA_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "PUBLIC_URL": ORIGIN,
        "ALLOWED_HOSTS": "127.0.0.1",
        "FRONTDESK_VAR": str(var),
        "DATABASE_URL": urls.database,
        "REDIS_URL": urls.redis,
        "PORT": str(web_port),
        "NO_PROXY": "127.0.0.1",
        "BENCH_SECRET": secrets.token_urlsafe(32),
        "BENCH_MODEL": f"http://127.0.0.1:{model_port}/v1",
    }


def _command(module: Sequence[str]) -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", *module]


def _run(module: Sequence[str], environment: dict[str, str]) -> None:
    subprocess.run(_command(module), env=environment, check=True)


@contextmanager
def _started(
    environment: dict[str, str], module: Sequence[str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(module),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=children.follow_parent(signal.SIGTERM),
        )
    try:
        yield process
    finally:
        children.stop(process, signal.SIGTERM)


def _wait_until_ready(
    port: int, processes: "list[subprocess.Popen[bytes]]", var: Path, environment: dict[str, str]
) -> None:
    """No beat runs here: the worker is asked for its heartbeat once."""
    _run(["tests.bench.ask_for_heartbeat"], environment)
    deadline = time.monotonic() + READY_SECONDS
    while not _ready(port):
        if any(process.poll() is not None for process in processes) or time.monotonic() > deadline:
            logs = "\n".join(path.read_text() for path in sorted(var.glob("*.log")))
            raise SystemExit(f"The product did not start:\n{logs}")
        time.sleep(0.2)


def _ready(port: int) -> bool:
    address = f"http://127.0.0.1:{port}/health/ready"
    with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def _processes(web: int, worker: int) -> dict[str, list[psutil.Process]]:
    ours = psutil.Process().children(recursive=True)
    detectors = psutil.Process(worker).children(recursive=True)
    return {
        "web": [psutil.Process(web)],
        "worker": [psutil.Process(worker)],
        "detector": detectors,
        "postgres": [process for process in ours if process.name() == "postgres" and _is_first(process)],
        "redis": [process for process in ours if process.name() in ("redis-server", "valkey-server")],
    }


def _is_first(process: psutil.Process) -> bool:
    """PostgreSQL's first process: the others come and go."""
    parent = process.parent()
    return parent is None or parent.name() != "postgres"


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
