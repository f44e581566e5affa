"""A call that is cancelled ends within a tenth of a second, wherever it is."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from bot.llm import errors
from bot.llm.base import Text
from bot.llm.openai_compatible import OpenAICompatible
from tests.bot.llm.conftest import a_request
from tests.upstream import Reply

# A tenth of a second by the contract; the rest is for a machine that does other things, too.
AT_ONCE = 0.5


class Asking:
    """A call on its own thread."""

    def __init__(self, provider: OpenAICompatible, **given: object) -> None:
        self.cancelled = threading.Event()
        self.pieces: list[object] = []
        self.begun = threading.Event()
        self.error: errors.UpstreamError | None = None
        self._provider, self._given = provider, given
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def cancel(self) -> float:
        """Seconds until the call has ended."""
        started = time.monotonic()
        self.cancelled.set()
        self._thread.join(10)
        assert not self._thread.is_alive()
        return time.monotonic() - started

    def _ask(self) -> None:
        try:
            for piece in self._provider.stream(a_request(cancelled=self.cancelled, **self._given)):
                self.pieces.append(piece)
                self.begun.set()
        except errors.UpstreamError as error:
            self.error = error


@pytest.fixture
def full() -> Iterator[int]:
    """A port whose queue of connections is full: connecting to it takes for ever."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("reused", [False, True])
@pytest.mark.parametrize("fault", ["hang", "silence", "keepalive"])
def test_cancelled_call_ends_before_its_first_piece(upstream, provider, fault, reused):
    if reused:
        list(provider.stream(a_request()))
        assert upstream.arrived.acquire(timeout=5)
    upstream.script(Reply(fault=fault))
    asking = Asking(provider)
    assert upstream.arrived.acquire(timeout=5)
    assert asking.cancel() < AT_ONCE
    assert type(asking.error) is errors.Stopped
    assert asking.error.usage.input > 5
    assert not asking.error.usage.exact
    assert upstream.dropped.acquire(timeout=2)
    assert upstream.connections == 1


def test_cancelled_call_of_a_model_that_thinks_unseen_costs_its_time(upstream, provider):
    upstream.script(Reply(fault="hang"))
    asking = Asking(provider, thinks=True)
    assert upstream.arrived.acquire(timeout=5)
    asking.cancel()
    assert asking.error.usage.output >= 1


def test_cancelled_call_ends_in_the_silence_after_its_text(upstream, provider):
    upstream.script(Reply("one two", fault="silence", after=1))
    asking = Asking(provider)
    assert asking.begun.wait(5)
    assert asking.cancel() < AT_ONCE
    assert asking.pieces == [Text("one")]
    assert type(asking.error) is errors.Stopped
    assert asking.error.usage.output == 1


def test_cancelled_call_ends_while_it_connects_and_costs_nothing(full):
    provider = OpenAICompatible(f"http://127.0.0.1:{full}/v1", "key")
    asking = Asking(provider)
    assert not asking.begun.wait(0.2)  # it is connecting: the queue is full
    assert asking.cancel() < AT_ONCE
    assert type(asking.error) is errors.Stopped
    assert asking.error.usage is None
    provider.close()


def test_cancelled_call_ends_while_it_shakes_hands_and_costs_nothing():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        provider = OpenAICompatible(f"https://127.0.0.1:{mute.getsockname()[1]}/v1", "key")
        asking = Asking(provider)
        connection, _ = mute.accept()
        with connection:
            assert connection.recv(1)  # its greeting, which nobody answers
            assert asking.cancel() < AT_ONCE
        assert type(asking.error) is errors.Stopped
        assert asking.error.usage is None
        provider.close()


def test_cancelled_request_is_never_sent(upstream, provider):
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(errors.Stopped):
        list(provider.stream(a_request(cancelled=cancelled)))
    assert upstream.connections == 0
