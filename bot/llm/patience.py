"""Waiting before another call."""

import threading
import time
from collections.abc import Callable
from typing import TypeAlias

Pause: TypeAlias = Callable[[float, threading.Event | None], None]


def pause(seconds: float, cancelled: threading.Event | None) -> None:
    """Wait, unless the request is cancelled."""
    if cancelled is None:
        time.sleep(seconds)
    else:
        cancelled.wait(seconds)
