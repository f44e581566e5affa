"""The whole product in processes of its own, and everything that can happen to it."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import psutil
import psycopg
from psycopg.rows import dict_row

from config.embedded import Urls
from tests import product, who
from tests.faults import effects
from tests.faults.desk import Desk
from tests.faults.servers import Postgres, Redis
from tests.product import Process
from tests.upstream import Received, Reply, Upstream

SITE = "faults"
# Short, so that a test need not be long; a turn outlives one killed worker, whose lease is 15 seconds.
FIRST_TOKEN_SECONDS = 2.0
SILENCE_SECONDS = 3.0
TURN_SECONDS = 60.0
WEBS = WORKERS = 2
SLOTS = 32  # of each worker
MESSAGES_A_DAY = 1000
ANSWER = "The blue jacket is warm enough for an autumn walk, and dries within the hour."

P = ParamSpec("P")
R = TypeVar("R")
Row = dict[str, Any]


class Stage:
    """Two web processes, two workers and a beat behind wires, a model in this process, and who plays today.

    Processes die with the thread that started them, so one thread does it all: tests `await stage.do(…)`.
    """

    def __init__(self, var: Path) -> None:
        self.var = var
        self.number = 0  # of the test
        self.failures = 0  # of the tests so far
        self._operator = ThreadPoolExecutor(1, thread_name_prefix="operator")
        self._stack = ExitStack()
        self.upstream = self._stack.enter_context(Upstream())
        self._operator.submit(self._start).result()

    def _start(self) -> None:
        self.postgres, self.redis = Postgres(self.var), Redis(self.var)
        urls = Urls(self.postgres.wired_url, self.redis.wired_url)
        self.environment = product.environment(
            self.var,
            urls,
            FRONTDESK_TOOLS="tests.faults.tools",
            FAULTS_FOLDER=str(self.var),
            FIRST_TOKEN_DEADLINE=str(FIRST_TOKEN_SECONDS),
            SILENCE_DEADLINE=str(SILENCE_SECONDS),
            TURN_DEADLINE=str(TURN_SECONDS),
            # What is deferred, and said of a place in line, has tests of its own.
            PLACE_AFTER="600",
            DEFER_AFTER="600",
        )
        addresses = [self.model_address(number) for number in (1, 2)]
        seed = ["tests.seed", SITE, *addresses, "--messages", str(MESSAGES_A_DAY)]
        product.run(seed, self.environment)
        self.ports = [product.free_ports(1) for _ in range(WEBS)]
        self.webs = [self._process(f"web-{n}", product.web(port)) for n, port in enumerate(self.ports, 1)]
        self.workers = [self._process(f"worker-{n}", product.worker(SLOTS)) for n in range(1, WORKERS + 1)]
        self.beat = self._process("beat", product.beat(self.var))
        self.run_all()

    def _process(self, name: str, module: list[str]) -> Process:
        return Process(name, module, self.environment, self.var)

    @cached_property
    def desk(self) -> Desk:
        """Bob, who comes when he is first needed."""
        return Desk(self.environment, self.var / "bob.log")

    @property
    def processes(self) -> list[Process]:
        return [*self.webs, *self.workers, self.beat]

    def model_address(self, number: int) -> str:
        return self.upstream.base_url.replace("/v1", f"/model-{number}/v1")

    @property
    def secret(self) -> str:
        return self.environment["SEED_SECRET"]

    async def do(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do something to the product that takes its time, while its customers go on."""
        future = self._operator.submit(work, *args, **kwargs)
        return await asyncio.wrap_future(future)

    # Between two tests

    def reset(self, *, anew: bool = False) -> None:
        """Everything runs, the wires are good, nothing is scripted, and nobody has failed yet.

        `anew` after a failure, whose wreckage is nobody else's: all processes start again, with no data.
        """
        self.number += 1
        self._operator.submit(self._reset, anew).result()

    def _reset(self, anew: bool) -> None:
        if anew:
            self._wreck()
        self.postgres.wire.clear()
        self.redis.wire.clear()
        if not self.redis.runs:
            self.redis.start()
        with self.redis.client() as client:
            client.config_set("maxmemory", 0)
            client.delete("unacked", "unacked_index")  # what killed workers have left
        effects.hold(self.var).unlink(missing_ok=True)
        self.run_all()
        self._fresh_models()
        self.upstream.default = Reply(ANSWER)
        self.upstream.forget()

    def _wreck(self) -> None:
        for process in self.processes:
            if process.runs:
                process.kill()
        self.postgres.restart()
        self.execute("TRUNCATE bot_conversation, accounts_usageentry, accounts_hold, accounts_window CASCADE")
        if self.redis.runs:
            self.redis.kill()
        self.redis.empty()

    def run_all(self) -> None:
        """Start what does not run, as production would, and wait until all of it answers."""
        product.wait_until(self._all_ready, self.processes, product.READY_SECONDS, again=True)

    def _all_ready(self) -> bool:
        for process in self.processes:
            if not process.runs:
                process.start()
        return self.well

    @property
    def well(self) -> bool:
        """Whether every web process that runs can answer, and every such worker waits for the queue."""
        webs = [port for web, port in zip(self.webs, self.ports, strict=True) if web.runs]
        workers = sum(worker.runs for worker in self.workers)
        return all(product.answers(port) for port in webs) and self._consumers() >= workers

    @property
    def crashed(self) -> list[Process]:
        return [process for process in self.processes if process.crashed]

    def _consumers(self) -> int:
        """Workers that wait for the queue."""
        with self.redis.client() as client:
            return sum(one["cmd"] == "brpop" for one in client.client_list())

    def _fresh_models(self) -> None:
        """New names, which no breaker knows; the second one is not asked unless enabled."""
        with self.postgres.connect() as database:
            for number in (1, 2):
                database.execute(
                    "UPDATE bot_provider SET name = %s, base_url = %s, max_streams = NULL WHERE name LIKE %s",
                    [self.model_name(number), self.model_address(number), f"model-{number}%"],
                )
        self.wait_for_models(None)
        self.enable(2, False)

    def wait_for_models(self, seconds: float | None) -> None:
        """How long a model may take to its first token, where the stage's own patience is too short."""
        self.execute("UPDATE bot_model SET first_token_deadline = %s", seconds)

    def model_name(self, number: int) -> str:
        return f"model-{number}-{self.number}"

    def enable(self, number: int, enabled: bool = True) -> None:
        """Let the second model be asked where the first cannot answer."""
        self.execute("UPDATE bot_provider SET enabled = %s WHERE name = %s", enabled, self.model_name(number))

    def close(self) -> None:
        self._operator.submit(self._close).result()
        self._operator.shutdown()
        self._stack.close()

    def _close(self) -> None:
        if "desk" in vars(self):
            self.desk.close()
        for process in reversed(self.processes):
            process.stop()
        self.redis.close()
        self.postgres.close()

    # A look inside, past the wires

    def rows(self, query: str, *values: object) -> list[Row]:
        with psycopg.connect(self.postgres.url, row_factory=dict_row) as database:
            return database.execute(query, values or None).fetchall()  # type: ignore[arg-type]

    def customers(self) -> dict[str, UUID]:
        """Who has come so far, by their ids on the site."""
        return who.customers(self.postgres.url, self.environment["DATA_KEYS"])

    def execute(self, statement: str, *values: object) -> None:
        with self.postgres.connect() as database:
            database.execute(statement, values or None)  # type: ignore[arg-type]

    async def until(self, query: str, *values: object, seconds: float = 20) -> list[Row]:
        """Wait for a query to find something."""
        found: list[Row] = await self.sees(lambda: self.rows(query, *values), seconds)
        return found

    def tickets(self) -> int:
        """Jobs that wait, or are not done yet."""
        with self.redis.client() as client:
            queues = [name for name in client.keys("*") if client.type(name) == b"list"]
            return sum(client.llen(name) for name in queues) + client.hlen("unacked")

    def worker_of(self, request: Received) -> Process:
        """Which worker has made a request that is not answered yet."""
        for worker in self.workers:
            if worker.runs:
                ends = psutil.Process(worker.pid).net_connections("tcp")
                if any(end.laddr.port == request.port for end in ends):
                    return worker
        raise AssertionError("No worker has made this request")

    async def sees(self, look: Callable[[], Any], seconds: float = 20) -> Any:
        """Wait until a look at something finds it."""
        ends = time.monotonic() + seconds
        while not (found := await asyncio.to_thread(look)):
            assert time.monotonic() < ends, f"not within {seconds} s"
            await asyncio.sleep(0.02)
        return found

    def hold_next(self, after: int, text: str = ANSWER) -> threading.Event:
        """The next answer stops after so many pieces, until the event is set."""
        gate = threading.Event()
        self.upstream.script(Reply(text, gate=gate, after=after))
        return gate

    async def asked(self, requests: int = 1, seconds: float = 20) -> Received:
        """Wait until the model has been asked so often since the last time; the latest request."""
        for _ in range(requests):
            arrived = await asyncio.to_thread(self.upstream.arrived.acquire, timeout=seconds)
            assert arrived, f"the model was not asked within {seconds} s"
        return self.upstream.completions[-1]

    async def hung_up(self, requests: int = 1, seconds: float = 20) -> None:
        """Wait until somebody has left the model in mid-answer."""
        for _ in range(requests):
            left = await asyncio.to_thread(self.upstream.dropped.acquire, timeout=seconds)
            assert left, f"nobody hung up within {seconds} s"
