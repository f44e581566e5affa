"""Detecting, started before something is measured with it and stopped after."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from bot.privacy.engine import Engine
from bot.privacy.engines import Engines

Detects = TypeVar("Detects", Engine, Engines)


@contextmanager
def running(engine: Detects) -> Iterator[Detects]:
    engine.start()
    try:
        if not engine.wait_ready():
            raise SystemExit("Detecting did not start")
        yield engine
    finally:
        engine.stop()
