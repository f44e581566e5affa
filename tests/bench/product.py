"""The product as it runs in production, with a model of known speed, in processes of their own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from config.embedded import Urls
from config.embedded.servers import servers
from tests import product
from tests.product import Process

SITE = "bench"


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
        return f"ws://127.0.0.1:{self.port}/ws/chat/{SITE}/"


@contextmanager
def running(var: Path, speed: Speed, concurrency: int) -> Iterator[Product]:
    """1. The data servers. 2. A site and its model. 3. Model, web and worker, until they are ready."""
    with ExitStack() as stack:
        urls = stack.enter_context(servers(var))
        port, model_port = product.free_ports(1), product.free_ports(1)
        environment = product.environment(var, urls)
        product.run(["tests.seed", SITE, f"http://127.0.0.1:{model_port}/v1"], environment)
        model = ["tests.upstream", "--port", str(model_port), *_options(speed)]
        stack.enter_context(Process("model", model, environment, var))
        web = stack.enter_context(Process("web", product.web(port), environment, var))
        worker = stack.enter_context(Process("worker", product.worker(concurrency), environment, var))
        product.wait_until(lambda: product.answers(port), [web, worker], product.READY_SECONDS)
        yield Product(port, urls, environment["SEED_SECRET"], _processes(web.pid, worker.pid))


def _options(speed: Speed) -> list[str]:
    options = ["--first-token", str(speed.first_token), "--pace", str(speed.pace)]
    return [*options, "--tokens", str(speed.tokens)]


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
