"""The product's processes under honcho: one dies, all stop; we die, all die."""

import contextlib
import functools
import os
import signal
from collections.abc import Callable
from multiprocessing import Queue
from typing import Any

from honcho.manager import Manager
from honcho.process import Popen, Process

from config.embedded import children


class Child(Process):  # type: ignore[misc]
    """One process and, before it, honcho's fork that reads its lines; neither survives its parent."""

    def run(self, events: "Queue[Any] | None" = None, ignore_signals: bool = False) -> None:
        if follow := children.follow_parent(signal.SIGKILL):
            follow()
        self._child_ctor = functools.partial(Popen, preexec_fn=children.follow_parent(signal.SIGTERM))
        super().run(events, ignore_signals)


class Processes(Manager):  # type: ignore[misc]
    """Honcho's manager, which also tells who died first and leaves nobody behind."""

    def __init__(self, started: Callable[[], None]) -> None:
        super().__init__()
        self.died: dict[str, int] = {}
        self._started = started
        self._process_ctor = Child

    def run(self) -> None:
        """Run all until one dies or SIGINT or SIGTERM asks to stop."""
        try:
            self.loop()
        finally:
            self._sweep()

    def terminate(self) -> None:
        if not self._terminating:
            codes = {name: process.get("returncode") for name, process in self._processes.items()}
            self.died = {name: code for name, code in codes.items() if code is not None}
        super().terminate()

    def _start(self) -> None:
        super()._start()
        self._started()  # only now may a thread start: the forks are done

    def _sweep(self) -> None:
        """Kill what ignored its request to stop, and what a process started and left in its group."""
        for process in self._processes.values():
            with contextlib.suppress(KeyError, ProcessLookupError, PermissionError):
                os.killpg(process["pid"], signal.SIGKILL)
            if reader := process.get("process"):
                reader.kill()
                reader.join()
