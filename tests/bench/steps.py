"""A worker that notes how much CPU each step of its turns takes; it costs time itself, so it is asked for.

`python -m tests.bench.steps FILE celery …` runs celery and writes the seconds by step so far to FILE whenever
it gets SIGUSR2.
"""

import functools
import json
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

# Step, and what belongs to it. What a step calls that is a step of its own counts there alone.
STEPS = {
    "claim": ["bot.leases:claim", "bot.turn:_open"],
    "begin": ["bot.turn:_begin"],
    "scrub": ["bot.steps.read:scrub"],
    "approved change?": ["bot.steps.approved:carry_out"],
    "prepared reply?": ["bot.steps.prepared:reply"],
    "choose a model": ["bot.steps.choice:choose", "bot.steps.upstream:provider"],
    "hold": ["accounts.quota:hold"],
    "prompt": ["bot.steps.prompt:build"],
    "entry of the call": ["bot.steps.upstream:Calls.before", "bot.steps.upstream:Calls.after"],
    "first text": ["bot.steps.upstream:Calls.show"],
    "ask": ["bot.llm.openai_compatible:OpenAICompatible._post"],
    "read the answer": ["bot.llm.openai_compatible:OpenAICompatible.stream"],
    "breaker, retries": ["bot.llm.fallback:Fallback.stream"],
    "say": ["bot.steps.voice:Voice.say", "bot.steps.voice:Voice.start", "bot.steps.voice:Voice.stop"],
    "end": ["bot.turn:end"],
    "rest of the turn": ["bot.turn:run_next"],
    "events": ["bot.outbox:Outbox._write", "bot.outbox:Outbox._take", "bot.outbox:Outbox._release"],
}

spent: Counter[str] = Counter()
_lock = threading.Lock()
_here = threading.local()


class _Timed:
    """The time inside is a step's, but for the steps within it."""

    def __init__(self, step: str) -> None:
        self._step = step

    def __enter__(self) -> None:
        self._outer = getattr(_here, "inner", None)
        _here.inner = self
        self._within, self._began = 0.0, time.thread_time()

    def __exit__(self, *exc: object) -> None:
        took = time.thread_time() - self._began
        _here.inner = self._outer
        if self._outer is not None:
            self._outer._within += took
        with _lock:
            spent[self._step] += took - self._within


def _timed(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        with _Timed(step):
            result = function(*args, **kwargs)
        return _pieces(step, result) if isinstance(result, Iterator) else result

    return timed


def _pieces(step: str, pieces: Any) -> Iterator[Any]:
    """The same pieces; the time to get each is the step's, what their reader does is not."""
    try:
        while True:
            with _Timed(step):
                try:
                    piece = next(pieces)
                except StopIteration:
                    return
            yield piece
    finally:
        with _Timed(step):
            pieces.close()


def watch() -> None:
    """Put a clock around every step."""
    for step, places in STEPS.items():
        for place in places:
            module, _, path = place.partition(":")
            *owners, name = path.split(".")
            owner = functools.reduce(getattr, owners, import_module(module))
            setattr(owner, name, _timed(step, getattr(owner, name)))


def main() -> None:
    from celery.__main__ import main as celery
    from celery.signals import worker_init

    file, sys.argv = Path(sys.argv[1]), sys.argv[2:]
    # Once the product is loaded, before it works.
    worker_init.connect(lambda **kwargs: watch(), weak=False)
    signal.signal(signal.SIGUSR2, lambda *_: _write(file))
    celery()


def _write(file: Path) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(spent))
    fresh.rename(file)


if __name__ == "__main__":
    main()
