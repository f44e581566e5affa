"""The product as it runs in production, with a model of known speed, in processes of their own."""

import tempfile
from collections.abc import Iterator, Sequence
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

    first_token: float = 0.2
    pace: float = 0.02
    tokens: int = 30

    @property
    def answer_seconds(self) -> float:
        return self.first_token + self.pace * (self.tokens - 1)

    def options(self) -> list[str]:
        options = ["--first-token", str(self.first_token), "--pace", str(self.pace)]
        return [*options, "--tokens", str(self.tokens)]


@dataclass(frozen=True)
class Setting:
    """What a measurement needs of the product; without a `speed` no model can be reached."""

    speed: Speed | None = None
    slots: int = 8
    workers: int = 1
    # A module to run before it starts, in the product's environment.
    prepare: str = ""
    # Whether the worker notes how much CPU each step of a turn takes.
    by_step: bool = False


@dataclass(frozen=True)
class Product:
    """A running product; `processes` are what it consists of, by name."""

    port: int
    model_port: int
    urls: Urls
    secret: str
    processes: dict[str, list[psutil.Process]]
    workers: Sequence[Process]
    steps: Path

    @property
    def socket(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/chat/{SITE}/"


@contextmanager
def running(setting: Setting) -> Iterator[Product]:
    """1. The data servers. 2. A site and its model. 3. Model, web and workers, until they are ready."""
    with ExitStack() as stack:
        var = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-bench-")))
        urls = stack.enter_context(servers(var))
        port, model_port = product.free_ports(1), product.free_ports(1)
        environment = product.environment(var, urls)
        product.run(["tests.seed", SITE, f"http://127.0.0.1:{model_port}/v1"], environment)
        if setting.prepare:
            product.run([setting.prepare, SITE], environment)
        if setting.speed:
            model = ["tests.upstream", "--port", str(model_port), *setting.speed.options()]
            stack.enter_context(Process("model", model, environment, var))
        web = stack.enter_context(Process("web", product.web(port), environment, var))
        steps = var / "steps.json"
        command = product.worker(setting.slots)
        if setting.by_step:
            command = ["tests.bench.steps", str(steps), *command]
        workers = [
            stack.enter_context(Process(f"worker-{number}", command, environment, var))
            for number in range(setting.workers)
        ]
        product.wait_until(lambda: product.answers(port), [web, *workers], product.READY_SECONDS)
        processes = _processes(web.pid, [worker.pid for worker in workers])
        yield Product(port, model_port, urls, environment["SEED_SECRET"], processes, workers, steps)


def _processes(web: int, workers: list[int]) -> dict[str, list[psutil.Process]]:
    ours = psutil.Process().children(recursive=True)
    family = [psutil.Process(worker) for worker in workers]
    return {
        "web": [psutil.Process(web)],
        "worker": family,
        "detector": [child for worker in family for child in worker.children(recursive=True)],
        "postgres": [process for process in ours if process.name() == "postgres" and _is_first(process)],
        "redis": [process for process in ours if process.name() in ("redis-server", "valkey-server")],
    }


def _is_first(process: psutil.Process) -> bool:
    """PostgreSQL's first process: the others come and go."""
    parent = process.parent()
    return parent is None or parent.name() != "postgres"
