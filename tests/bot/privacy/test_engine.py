"""The detecting process works for many threads, fails closed and comes back."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from bot.privacy.engine import MAX_CHARACTERS, Engine
from bot.privacy.errors import ScrubberDown, TextTooLong
from bot.privacy.placeholders import Span
from tests.bot.privacy.doubles import RULES

DOUBLE = "tests.bot.privacy.doubles:EmailDetector"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(DOUBLE, call_limit=1)
    engine.start()
    assert engine.wait_ready(20)
    yield engine
    engine.stop()


def comes_back(engine: Engine, dead: int | None) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if engine.wait_ready(0.1) and engine.pid not in (dead, None):
            return engine.detect(["a@b.de"], "en", RULES) == [[Span(0, 6, "EMAIL")]]
    return False


def test_engine_answers_each_text_in_order(engine: Engine) -> None:
    assert engine.detect(["mail a@b.de", "", "none"], "en", RULES) == [[Span(5, 11, "EMAIL")], [], []]
    assert engine.detect(["", " "], "en", RULES) == [[], []]


def test_engine_gives_every_thread_its_own_answer(engine: Engine) -> None:
    def ask(number: int) -> bool:
        text = "x" * number + " a@b.de"
        return engine.detect([text], "en", RULES) == [[Span(number + 1, number + 7, "EMAIL")]]

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(ask, range(300)))


@pytest.mark.parametrize("text", ["crash", "stall"])
def test_engine_fails_closed_and_comes_back_when_its_process(engine: Engine, text: str) -> None:
    dead = engine.pid
    with pytest.raises(ScrubberDown):
        engine.detect([text], "en", RULES)
    assert comes_back(engine, dead)


def test_engine_fails_at_once_while_down(engine: Engine) -> None:
    process = psutil.Process(engine.pid)
    process.kill()
    started = time.monotonic()
    with pytest.raises(ScrubberDown):
        engine.detect(["a@b.de"], "en", RULES)
    assert time.monotonic() - started < 0.9
    assert comes_back(engine, process.pid)


def test_engine_tells_all_waiting_threads_when_the_process_stops_answering(engine: Engine) -> None:
    os.kill(engine.pid or 0, signal.SIGSTOP)

    def ask(number: int) -> str:
        with pytest.raises(ScrubberDown) as caught:
            engine.detect(["a@b.de" * 1000], "en", RULES)
        return str(caught.value)

    started = time.monotonic()
    with ThreadPoolExecutor(40) as threads:
        list(threads.map(ask, range(80)))
    assert time.monotonic() - started < 5


def test_engine_lets_calls_queue_longer_than_one_may_take(engine: Engine) -> None:
    dead = engine.pid
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: engine.detect(["slow a@b.de"], "en", RULES), range(6)))
    assert answers == [[[Span(5, 11, "EMAIL")]]] * 6
    assert engine.pid == dead


def test_engine_gives_up_a_call_before_its_process(engine: Engine) -> None:
    """Somebody waits for an answer of the bot; what is slow only because all else is, gets well by itself."""
    slow = engine.pid
    os.kill(slow or 0, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(ScrubberDown):
        engine.detect(["a@b.de"], "en", RULES)
    assert 0.9 < time.monotonic() - began < 2
    os.kill(slow or 0, signal.SIGCONT)
    assert engine.detect(["a@b.de"], "en", RULES) == [[Span(0, 6, "EMAIL")]]
    assert engine.pid == slow


def test_engine_says_nothing_of_the_text_when_detection_fails(
    engine: Engine, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ScrubberDown) as caught:
        engine.detect(["fail secret@example.com"], "en", RULES)
    assert "ValueError" in str(caught.value)
    assert "secret" not in str(caught.value) + caplog.text + "".join(capfd.readouterr())
    assert engine.detect(["a@b.de"], "en", RULES) == [[Span(0, 6, "EMAIL")]]


def test_engine_process_reaches_no_network(engine: Engine) -> None:
    with pytest.raises(ScrubberDown, match="PermissionError"):
        engine.detect(["network"], "en", RULES)
    assert engine.detect(["a@b.de"], "en", RULES) == [[Span(0, 6, "EMAIL")]]


def test_engine_refuses_more_text_than_it_reads_in_time(engine: Engine) -> None:
    with pytest.raises(TextTooLong):
        engine.detect(["a" * MAX_CHARACTERS, "b"], "en", RULES)


def test_engine_that_was_not_started_raises() -> None:
    with pytest.raises(ScrubberDown):
        Engine(DOUBLE).detect(["hello"], "en", RULES)


def test_engine_fails_at_once_when_its_language_model_is_missing() -> None:
    engine = Engine("tests.bot.privacy.doubles:Missing")
    engine.start()
    assert not engine.wait_ready(1)
    began = time.monotonic()
    with pytest.raises(ScrubberDown):
        engine.detect(["hello"], "en", RULES)
    assert time.monotonic() - began < 0.5
    engine.stop()


def test_engine_ends_its_process_when_stopped() -> None:
    engine = Engine(DOUBLE)
    engine.start()
    assert engine.wait_ready(20)
    process = psutil.Process(engine.pid)
    engine.stop()
    assert not process.is_running()
    with pytest.raises(ScrubberDown):
        engine.detect(["hello"], "en", RULES)


def test_engine_process_ignores_ctrl_c_and_ends_with_its_parent() -> None:
    script = (
        "import time; from bot.privacy.engine import Engine\n"
        f"engine = Engine({DOUBLE!r}); engine.start(); engine.wait_ready(20)\n"
        "print(engine.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    with parent, parent.stdout as lines:
        child = psutil.Process(int(lines.readline()))
        child.send_signal(signal.SIGINT)
        child.send_signal(signal.SIGTERM)
        assert child.is_running()
        assert child.status() != psutil.STATUS_ZOMBIE
        parent.kill()
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_engine_process_imports_no_django_and_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_KEYS", "secret")
    script = "import sys; import bot.privacy.child, bot.privacy.detect; assert 'django' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
    engine = Engine(DOUBLE)
    engine.start()
    assert engine.wait_ready(20)
    assert "DATA_KEYS" not in psutil.Process(engine.pid).environ()
    engine.stop()
