"""Deadlines of a call that hold even while its thread is blocked reading."""

import socket
import threading
import time
from contextlib import suppress
from math import inf

from bot.llm.base import Deadlines

TICK = 0.05
# What `Watch.passed` says of a call that was cancelled.
CANCELLED = "cancelled"
# How long to wait, once the answer is whole, for the usage, and then for the end of the response.
USAGE_WAIT = 2.0
END_WAIT = 0.3
# How long pieces gather before they are read: to be woken costs more than to read one more of them.
GATHER = 0.04


class Watch:
    """The deadlines of one call; the one that passes first, or cancelling it, shuts its socket down."""

    def __init__(self, deadlines: Deadlines, cancelled: threading.Event | None = None) -> None:
        now = time.monotonic()
        self.passed: str | None = None
        self._sent_at: float | None = None
        self._cancelled = cancelled
        self._deadlines = deadlines
        self._whole_due = now + deadlines.whole
        self._name, self._due = "first_token", now + deadlines.first_token
        self._gathers = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def note_sent(self) -> None:
        self._sent_at = self._sent_at or time.monotonic()

    @property
    def sent(self) -> bool:
        """Whether the provider may have seen the request."""
        return self._sent_at is not None

    @property
    def seconds(self) -> float:
        """How long the provider may have been at work."""
        return 0 if self._sent_at is None else time.monotonic() - self._sent_at

    def gather(self) -> None:
        """The reader is being told something by now: what follows need not reach it piece by piece."""
        self._gathers = True

    def before_reading(self) -> None:
        """Let pieces gather; the first ones, and the end of a cancelled call, are not waited for."""
        if self._gathers and self._cancelled is not None:
            self._cancelled.wait(GATHER)

    def guard(self, connection: socket.socket) -> None:
        """From now on a deadline that passes ends reads and writes on this connection."""
        with self._lock:
            self._socket = connection
            if self.passed:
                _shut(connection)

    def rest(self) -> None:
        """Do not count the time the reader takes for itself."""
        self._due = inf

    def expect_more(self) -> None:
        """Wait for the next piece."""
        self._name, self._due = "silence", time.monotonic() + self._deadlines.silence

    def expect_end(self, seconds: float) -> None:
        """Wait for what follows a whole answer; passing it is no failure."""
        self._name, self._due = "end", time.monotonic() + seconds

    def release(self) -> None:
        """Leave the connection alone: it belongs to somebody else now."""
        with self._lock:
            self._socket = None

    def check(self, now: float) -> None:
        late = self._late(now)
        if late is None:
            return
        with self._lock:
            if self._socket is None or self.passed:
                return
            self.passed = late
            _shut(self._socket)

    def _late(self, now: float) -> str | None:
        if self._cancelled is not None and self._cancelled.is_set():
            return CANCELLED
        if now >= self._whole_due:
            return "whole"
        return self._name if now >= self._due else None


def _shut(connection: socket.socket) -> None:
    # The plain method: an SSL socket's own drops its state, which the reading thread is using.
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class Watchdog:
    """One thread of the process that looks after every call under way."""

    def __init__(self) -> None:
        self._watches: set[Watch] = set()
        self._busy = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        with self._lock:
            self._watches.add(watch)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="llm-watchdog", daemon=True)
                self._thread.start()
        self._busy.set()

    def remove(self, watch: Watch) -> None:
        watch.release()
        with self._lock:
            self._watches.discard(watch)
            if not self._watches:
                self._busy.clear()

    def _run(self) -> None:
        while True:
            self._busy.wait()
            time.sleep(TICK)
            with self._lock:
                watches = list(self._watches)
            now = time.monotonic()
            for watch in watches:
                watch.check(now)


WATCHDOG = Watchdog()
