"""What rests: memory of idle sockets on one web process, and of a whole `make run`."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack

import psutil

from config.embedded import children
from tests import product as products
from tests.bench import customers
from tests.bench.figures import Measured, Row
from tests.bench.product import Product, Setting, Speed, running

SOCKETS, AT_ONCE = 2000, 20
FILES = 8192
# A machine rests when its processes together use less than this share of one CPU.
RESTS = 0.1


def sockets() -> Measured:
    _raise_file_limit()
    with running(Setting(Speed())) as it:
        before, after, opened = asyncio.run(_open(it))
    each = (after - before) / opened / 1024
    title = f"{opened} idle sockets on one web process, which said hello"
    lost = [] if opened == SOCKETS else [f"{SOCKETS - opened} sockets"]
    return Measured(title, [Row("memory of each (USS)", f"{each:.1f} KiB", "≤ 40 KiB")], lost)


async def _open(product: Product) -> tuple[int, int, int]:
    """Memory of the web process with a few sockets and with all; how many are still open."""
    [web] = product.processes["web"]
    gate = asyncio.Semaphore(AT_ONCE)
    async with AsyncExitStack() as stack:

        async def arrive(number: int) -> None:
            async with gate:
                await stack.enter_async_context(customers.arriving(product, number))

        await asyncio.gather(*(arrive(number) for number in range(AT_ONCE)))
        before = web.memory_full_info().uss
        await asyncio.gather(*(arrive(number) for number in range(AT_ONCE, SOCKETS + AT_ONCE)))
        await asyncio.sleep(5)
        opened = sum(
            c.status == "ESTABLISHED" and c.laddr.port == product.port for c in web.net_connections("tcp")
        )
        return before, web.memory_full_info().uss, opened - AT_ONCE


def _raise_file_limit() -> None:
    """For us and for the web process, which inherits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))


def memory() -> Measured:
    """Everything that `make run` starts, once it has nothing to do."""
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as folder:
        port = products.free_ports(3)
        kept = {name: os.environ[name] for name in products.KEPT if name in os.environ}
        run = subprocess.Popen(
            [sys.executable, "-m", "config.run"],
            env={**kept, "FRONTDESK_VAR": folder, "PORT": str(port)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=children.follow_parent(signal.SIGTERM),
        )
        try:
            _wait_until_ready(run, port)
            family = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
            _wait_until_at_rest(family)
            sizes = {
                process.pid: process.memory_full_info().pss for process in family if process.is_running()
            }
        finally:
            run.terminate()
            run.wait(60)
    total = sum(sizes.values()) / 2**20
    title = f"`make run` with its demo at rest, {len(sizes)} processes"
    return Measured(title, [Row("memory of all (PSS)", f"{total:.0f} MiB", "≤ 700 MB")])


def _wait_until_ready(run: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + products.READY_SECONDS
    while not products.answers(port):
        if run.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("make run did not become ready")
        time.sleep(0.5)


def _wait_until_at_rest(family: list[psutil.Process], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    used = _cpu(family)
    while time.monotonic() < deadline:
        time.sleep(3)
        used, before = _cpu(family), used
        if used - before < 3 * RESTS:
            return


def _cpu(family: list[psutil.Process]) -> float:
    times = [process.cpu_times() for process in family if process.is_running()]
    return sum(one.user + one.system for one in times)
