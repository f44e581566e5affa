"""The ceiling on a provider's streams, with this process's memory and with Redis."""

import os
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from bot.llm import errors
from bot.llm.base import Text
from bot.llm.breaker import LocalBreakers
from bot.llm.ceiling import Ceiling, LocalPlaces
from bot.llm.fallback import Fallback, Guards, Target
from bot.llm.redis_places import RedisPlaces
from bot.llm.scripted import Scripted
from tests.bot.llm.conftest import a_request


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def name() -> str:
    return uuid4().hex


@pytest.fixture(params=["local", "redis", "redis away"])
def store(request: pytest.FixtureRequest) -> Iterator[object]:
    if request.param == "local":
        yield LocalPlaces()
        return
    url = os.environ["REDIS_URL"] if request.param == "redis" else "redis://127.0.0.1:1"
    with redis.Redis.from_url(url) as client:
        yield RedisPlaces(client)


@pytest.fixture
def client() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        yield client


def test_place_is_taken_while_a_stream_lasts_and_given_back(store, name):
    asked = Scripted(["one", "two"], "Hello")
    ceiling = Ceiling(asked, name, 1, store)
    first = ceiling.stream(a_request())
    next(first)
    with pytest.raises(errors.Busy):
        next(ceiling.stream(a_request(deadlines={"first_token": 0.05})))
    assert len(asked.requests) == 1
    first.close()
    assert next(ceiling.stream(a_request())) == Text("Hello")


def test_place_is_given_back_when_the_call_fails(store, name):
    ceiling = Ceiling(Scripted(errors.ServerFault("No."), "Hello"), name, 1, store)
    with pytest.raises(errors.ServerFault):
        list(ceiling.stream(a_request()))
    assert next(ceiling.stream(a_request())) == Text("Hello")


def test_call_that_waits_gets_the_place_that_becomes_free(store, name):
    waited = threading.Event()

    def pause(seconds: float, cancelled: threading.Event | None) -> None:
        waited.set()
        first.close()

    first = Ceiling(Scripted(["one", "two"]), name, 1, store).stream(a_request())
    next(first)
    second = Ceiling(Scripted("Hello"), name, 1, store, pause).stream(a_request())
    assert next(second) == Text("Hello")
    assert waited.is_set()


def test_waiting_for_a_place_ends_when_the_request_is_cancelled(store, name):
    first = Ceiling(Scripted(["one", "two"]), name, 1, store).stream(a_request())
    next(first)
    cancelled = threading.Event()
    pauses = []

    def pause(seconds: float, event: threading.Event | None) -> None:
        pauses.append(seconds)
        cancelled.set()

    with pytest.raises(errors.Stopped):
        next(Ceiling(Scripted(), name, 1, store, pause).stream(a_request(cancelled=cancelled)))
    assert len(pauses) == 1
    first.close()


def test_ceiling_holds_for_all_processes_together(client, name):
    one, other = RedisPlaces(client), RedisPlaces(client)
    assert [one.take(name, 2, "a", 90), other.take(name, 2, "b", 90)] == [True, True]
    assert not other.take(name, 2, "c", 90)
    one.give_back(name, "a")
    assert other.take(name, 2, "c", 90)


def test_places_of_a_dead_process_come_back(client, name):
    clock = Clock()
    RedisPlaces(client, clock).take(name, 1, "dead", 95)
    alive = RedisPlaces(client, clock)
    clock.now += 94
    assert not alive.take(name, 1, "a", 95)
    clock.now += 2
    assert alive.take(name, 1, "a", 95)


def test_process_knows_its_own_streams_when_redis_goes_away(client, name):
    places = RedisPlaces(client)
    assert places.take(name, 1, "a", 90)

    def away(*_: object) -> object:
        raise redis.ConnectionError

    places._take = away
    assert not places.take(name, 1, "b", 90)


def test_next_target_is_asked_when_all_places_are_taken_and_the_breaker_stays(name):
    places, breakers = LocalPlaces(), LocalBreakers()
    places.take("main", 1, "somebody", 90)
    records = []
    full, spare = Scripted(), Scripted("Hello")
    provider = Fallback(
        [Target("main", "m-1", full, max_streams=1), Target("spare", "m-2", spare)],
        before_call=lambda call: None,
        after_call=records.append,
        guards=Guards(breakers, places, pause=lambda seconds, cancelled: None),
    )
    stream = provider.stream(a_request(deadlines={"whole": 0.2}))
    assert next(stream) == Text("Hello")
    stream.close()
    assert [record.call.provider for record in records] == ["spare"]
    assert breakers.state("main:m-1") == "closed"
