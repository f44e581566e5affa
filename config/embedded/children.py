"""Child processes: started out of the terminal's reach, stopped in order, found again after a kill."""

import contextlib
import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from config.embedded import EmbeddedError

PR_SET_PDEATHSIG = 1
START_DEADLINE = 60.0  # seconds, enough to replay the log of a killed server
PATIENCE = 15.0  # seconds a process gets for each request to stop


def follow_parent(request: signal.Signals) -> Callable[[], object] | None:
    """Give the preexec_fn that has the kernel send `request` when this process dies; only Linux can."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # resolved here: after the fork there must be no loading
    return lambda: prctl(PR_SET_PDEATHSIG, int(request))


def spawn(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    on_parent_death: signal.Signals,
    account: dict[str, Any] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in its own session, so that Ctrl-C in the terminal reaches only us."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=follow_parent(on_parent_death),
            **(account or {}),
        )


def wait_until(name: str, process: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool]) -> None:
    """Wait for a server that was just started; when it gives up, point at its log."""
    deadline = time.monotonic() + START_DEADLINE
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise EmbeddedError(f"{name} did not start; {log} tells why.")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], *requests: signal.Signals) -> None:
    """Send one request to stop after the other, each with time to act, and finally SIGKILL."""
    for request in (*requests, signal.SIGKILL):
        process.send_signal(request)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
            return


def stop_orphans(folder: Path, names: Sequence[str], *requests: signal.Signals) -> None:
    """Stop the processes of these names that a killed run left at work in `folder`."""
    for process in _working_in(folder, names):
        for request in (*requests, signal.SIGKILL):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(request)
            if _ends(process):
                break


def _working_in(folder: Path, names: Sequence[str]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.info["name"] in names and Path(process.cwd()) == folder:
                found.append(process)
    return sorted(found, key=lambda process: process.create_time())  # parents before their children


def _ends(process: psutil.Process) -> bool:
    """Tell whether it ends within our patience. A zombie has: in a container nobody may ever collect it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False
