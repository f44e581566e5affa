"""The breaker, with this process's memory and with Redis."""

import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
import redis

from bot.llm import errors
from bot.llm.base import Text
from bot.llm.breaker import Breaker, LocalBreakers
from bot.llm.redis_breakers import RedisBreakers
from bot.llm.scripted import Scripted
from tests.bot.llm.conftest import a_request


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def key() -> Iterator[str]:
    return uuid4().hex


@pytest.fixture(params=["local", "redis", "redis away"])
def store(request: pytest.FixtureRequest, clock: Clock) -> Iterator[object]:
    if request.param == "local":
        yield LocalBreakers(clock=clock)
        return
    url = os.environ["REDIS_URL"] if request.param == "redis" else "redis://127.0.0.1:1"
    with redis.Redis.from_url(url) as client:
        yield RedisBreakers(client, clock=clock)


@pytest.fixture
def fail(store: object, key: str) -> Callable[[int], None]:
    def fail(times: int) -> None:
        for _ in range(times):
            store.record(key, good=False, probe=False)

    return fail


def test_breaker_opens_at_the_fifth_failure(store, key, fail):
    fail(4)
    assert store.permit(key) == "yes"
    fail(1)
    assert store.permit(key) == "no"
    assert store.permit("another") == "yes"


def test_breaker_stays_closed_while_most_calls_go_well(store, key, fail):
    for _ in range(6):
        store.record(key, good=True, probe=False)
    fail(5)
    assert store.permit(key) == "yes"
    fail(1)
    assert store.permit(key) == "no"


def test_breaker_forgets_failures_after_its_window(store, key, fail, clock):
    fail(4)
    clock.now += 40
    fail(1)
    assert store.permit(key) == "yes"


def test_breaker_lets_one_probe_through_after_its_pause(store, key, fail, clock):
    fail(5)
    clock.now += 9.9
    assert store.permit(key) == "no"
    clock.now += 0.2
    assert [store.permit(key), store.permit(key)] == ["probe", "no"]
    clock.now += 10
    assert store.permit(key) == "probe"  # the first never came back


@pytest.mark.parametrize(("good", "permit"), [(True, "yes"), (False, "no")])
def test_probe_decides(store, key, fail, clock, good, permit):
    fail(5)
    clock.now += 10
    assert store.permit(key) == "probe"
    store.record(key, good=not good, probe=False)  # a straggler from before says nothing
    store.record(key, good=good, probe=True)
    assert store.permit(key) == permit


def test_open_breaker_raises_without_asking(clock):
    store, asked = LocalBreakers(clock=clock), Scripted(*[errors.Unreachable("Gone")] * 5)
    breaker = Breaker(asked, "main:m-1", store)
    for _ in range(5):
        with pytest.raises(errors.Unreachable):
            list(breaker.stream(a_request()))
    with pytest.raises(errors.CircuitOpen):
        list(breaker.stream(a_request()))
    assert len(asked.requests) == 5


@pytest.mark.parametrize(
    "error", [errors.Refused("Key"), errors.QuotaGone("Pay"), errors.UnknownModel("Who?")]
)
def test_what_no_waiting_mends_opens_the_breaker_at_once_for_longer(store, key, clock, error):
    asked = Scripted(error, error, "Hello")
    breaker = Breaker(asked, key, store)
    assert store.state(key) == "closed"
    for probe in (False, True):
        with pytest.raises(type(error)):
            list(breaker.stream(a_request()))
        assert store.state(key) == "open"
        clock.now += 59
        with pytest.raises(errors.CircuitOpen):
            list(breaker.stream(a_request()))
        clock.now += 1.1
        assert store.state(key) == "half_open", probe
    assert next(breaker.stream(a_request())) == Text("Hello")


@pytest.mark.parametrize("error", [errors.Stopped("Over"), errors.Busy("Full")])
def test_what_was_not_the_providers_fault_says_nothing(clock, error):
    store = LocalBreakers(clock=clock)
    for _ in range(5):
        store.record("main:m-1", good=False, probe=False)
    clock.now += 10
    breaker = Breaker(Scripted(error, "Hello"), "main:m-1", store)
    with pytest.raises(type(error)):
        list(breaker.stream(a_request()))
    assert store.state("main:m-1") == "half_open"
    clock.now += 10
    list(breaker.stream(a_request()))
    assert store.state("main:m-1") == "closed"


def test_store_knows_which_circuits_there_are(store, key):
    store.record(key, good=True, probe=False)
    store.trip(f"{key}:2")
    assert {key, f"{key}:2"} <= set(store.keys())


def test_our_own_bad_requests_never_open_it(clock):
    store = LocalBreakers(clock=clock)
    asked = Scripted(*[errors.BadRequest("Ours")] * 9, "Hello")
    breaker = Breaker(asked, "main:m-1", store)
    for _ in range(9):
        with pytest.raises(errors.BadRequest):
            list(breaker.stream(a_request()))
    assert next(breaker.stream(a_request())) == Text("Hello")
