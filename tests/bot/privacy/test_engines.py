"""Several detecting processes share the work, and one that is gone takes no other with it."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import pytest

from bot.privacy.engines import Engines
from bot.privacy.errors import ScrubberDown
from bot.privacy.placeholders import Span
from tests.bot.privacy.doubles import RULES

FOUND = [[Span(5, 11, "EMAIL")]]


@pytest.fixture
def engines() -> Iterator[Engines]:
    engines = Engines(2, "tests.bot.privacy.doubles:EmailDetector", call_limit=2)
    engines.start()
    assert engines.wait_ready(30)
    yield engines
    engines.stop()


def test_engines_go_on_with_the_others_when_one_is_gone(engines: Engines) -> None:
    first = engines._engines[0]
    os.kill(first.pid or 0, signal.SIGKILL)
    with pytest.raises(ScrubberDown):
        first.detect(["mail a@b.de"], "en", RULES)
    assert engines.detect(["mail a@b.de"], "en", RULES) == FOUND


def test_engines_give_a_call_to_the_least_busy_that_is_there() -> None:
    engines, asked = Engines(0), []
    for number, (ready, waiting) in enumerate([(False, 0), (True, 3), (True, 1), (True, 2)]):
        answer = partial(lambda number, *call: asked.append(number) or FOUND, number)
        engines._engines.append(SimpleNamespace(ready=ready, waiting=waiting, detect=answer))  # type: ignore
    assert engines.detect(["mail a@b.de"], "en", RULES) == FOUND
    assert asked == [2]


def test_engines_fail_closed_when_none_is_there() -> None:
    with pytest.raises(ScrubberDown):
        Engines(2).detect(["mail a@b.de"], "en", RULES)
