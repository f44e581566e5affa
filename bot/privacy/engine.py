"""Detection for all threads of a worker, in one spawned process, because NER in the threads would stall them.

It fails closed: while the process is starting, stuck or dead every call raises, and it is started anew.
"""

import itertools
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from multiprocessing.connection import Connection
from pathlib import Path

from .errors import ScrubberDown, TextTooLong
from .placeholders import Span
from .rules import Rules

logger = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
DETECTOR = "bot.privacy.detect:PrivateValueDetector"
# The process is told no secrets, and uses one thread.
PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "TZ",
    "SYSTEMROOT",
)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}

# Seconds without any answer after which a call is given up, and how many of them a queue may take.
CALL_LIMIT = 2.0
QUEUE_LIMITS = 4
# After so many the process counts as stuck; not sooner, for what slows it would slow a new one, too.
STUCK_LIMITS = 3
START_LIMIT = 60.0
BACK_OFF = (0.2, 1.0, 3.0, 10.0, 30.0)
# What the process reads well within CALL_LIMIT; a longer text would look like a stuck process.
MAX_CHARACTERS = 16_000

Answer = list[list[tuple[int, int, str]]] | str


class Child:
    """One life of the detecting process, and the calls that wait for it."""

    def __init__(self, detector: str, call_limit: float) -> None:
        ours, theirs = socket.socketpair()
        # A write to a stuck process must not wait for ever either.
        seconds, micro = divmod(int(call_limit * 1_000_000), 1_000_000)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", seconds, micro))
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603  our own module, by this very interpreter
                [sys.executable, "-m", "bot.privacy.child", str(theirs.fileno()), detector],
                cwd=ROOT,
                env={name: os.environ[name] for name in PASSED_ON if name in os.environ} | ONE_THREAD,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self.connection = Connection(ours.detach())
        self.waiting: dict[int, Future[Answer]] = {}
        self.answered_at = self.busy_since = time.monotonic()
        self._call_limit = call_limit
        self._writing = threading.Lock()
        self._numbers = itertools.count()

    def send(self, texts: Sequence[str], language: str, rules: Rules) -> Future[Answer]:
        future: Future[Answer] = Future()
        number = next(self._numbers)
        if not self.waiting:
            self.busy_since = time.monotonic()
        self.waiting[number] = future
        try:
            with self._writing:
                self.connection.send((number, list(texts), language, rules))
        except (OSError, ValueError):
            # Half a message may have gone out: nothing sensible can follow it.
            self.kill()
            raise ScrubberDown("the detecting process does not listen") from None
        return future

    def read_answers(self) -> None:
        """Hand out answers until the process is gone; a stuck one is ended."""
        while True:
            try:
                while not self.connection.poll(self._call_limit):
                    if self.stuck:
                        self.kill()
                number, spans = self.connection.recv()
            except (EOFError, OSError):
                return
            self.answered_at = time.monotonic()
            if future := self.waiting.pop(number, None):
                future.set_result(spans)

    @property
    def stuck(self) -> bool:
        """Whether calls wait, and none was answered for long."""
        silent = time.monotonic() - max(self.answered_at, self.busy_since)
        return bool(self.waiting) and silent > STUCK_LIMITS * self._call_limit

    def kill(self) -> None:
        self.process.kill()

    def close(self) -> None:
        """Bury the process and tell those who still wait."""
        self.kill()
        self.process.wait()
        with self._writing:
            self.connection.close()
        for number in list(self.waiting):
            if future := self.waiting.pop(number, None):
                future.set_exception(ScrubberDown("the detecting process died"))


class Engine:
    """Keeps one child alive; `detect` may be called by any number of threads."""

    def __init__(self, detector: str = DETECTOR, call_limit: float = CALL_LIMIT) -> None:
        self._detector = detector
        self._call_limit = call_limit
        self._child: Child | None = None
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None

    @property
    def ready(self) -> bool:
        return self._ready.is_set()

    @property
    def pid(self) -> int | None:
        child = self._child
        return child.process.pid if child else None

    @property
    def waiting(self) -> int:
        """Calls under way."""
        child = self._child
        return len(child.waiting) if child else 0

    def start(self) -> None:
        """Start the process in the background; calls fail until it is ready."""
        if self._keeper and self._keeper.is_alive():
            return
        self._stopping.clear()
        self._keeper = threading.Thread(target=self._keep_alive, name="privacy-engine", daemon=True)
        self._keeper.start()

    def wait_ready(self, timeout: float = START_LIMIT) -> bool:
        return self._ready.wait(timeout)

    def stop(self) -> None:
        self._stopping.set()
        if child := self._child:
            child.kill()
        if self._keeper:
            self._keeper.join(timeout=5)

    def detect(self, texts: Sequence[str], language: str, rules: Rules) -> list[list[Span]]:
        """Return the private values of each text, or raise PrivacyError."""
        if not any(text and not text.isspace() for text in texts):
            return [[] for _ in texts]
        if sum(map(len, texts)) > MAX_CHARACTERS:
            raise TextTooLong(f"more than {MAX_CHARACTERS} characters in one call")
        child = self._child
        if child is None or not self._ready.is_set():
            raise ScrubberDown("the detecting process is not ready")
        return self._ask(child, child.send(texts, language, rules))

    def _ask(self, child: Child, future: Future[Answer]) -> list[list[Span]]:
        # It may have died, and its waiting calls been told, between the check and the sending.
        if child is not self._child:
            raise ScrubberDown("the detecting process died")
        answer = self._wait(child, future)
        if isinstance(answer, str):
            raise ScrubberDown(f"detection failed: {answer}")
        return [[Span(*span) for span in spans] for spans in answer]

    def _wait(self, child: Child, future: Future[Answer]) -> Answer:
        """Wait as long as somebody gets answers: a queue is no reason to give up, silence is."""
        for _ in range(QUEUE_LIMITS):
            waiting_since = time.monotonic()
            try:
                return future.result(self._call_limit)
            except TimeoutError:
                if child.answered_at < waiting_since:
                    break
        raise ScrubberDown("the detecting process is too slow")

    def _keep_alive(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            failures = 0 if self._live_once() else failures + 1
            if not self._stopping.is_set():
                logger.error("the detecting process ended and is started again")
                self._stopping.wait(BACK_OFF[min(failures, len(BACK_OFF) - 1)])

    def _live_once(self) -> bool:
        """Run one child to its end; tell whether it ever answered."""
        child = self._child = Child(self._detector, self._call_limit)
        started_at = child.answered_at
        try:
            # stop() may have looked for a child just before there was this one.
            if not self._stopping.is_set() and self._is_ready(child):
                self._ready.set()
                child.read_answers()
        finally:
            self._ready.clear()
            self._child = None
            child.close()
        return child.answered_at > started_at

    def _is_ready(self, child: Child) -> bool:
        try:
            return child.connection.poll(START_LIMIT) and child.connection.recv() == "ready"
        except (EOFError, OSError):
            return False
