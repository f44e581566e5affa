"""What is counted in this process, and how it gets to Redis."""

import json
import threading
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from bot import metrics


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    """Redis without any totals, and nothing counted here before."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        metrics.flush()
        client.delete(metrics.TOTALS, metrics.GAUGES)
        yield client
        metrics.flush()
        client.delete(metrics.TOTALS, metrics.GAUGES)


@pytest.fixture
def memory(server: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> metrics._Memory:
    """A process's memory of its own, which only `flush` empties."""
    fresh = metrics._Memory()
    monkeypatch.setattr(metrics, "_memory", fresh)
    monkeypatch.setattr(fresh, "_start", lambda: None)
    return fresh


def totals(server: redis.Redis) -> dict[str, float]:
    return {field.decode(): float(value) for field, value in server.hgetall(metrics.TOTALS).items()}


def test_counts_add_up_over_pushes(server: redis.Redis, memory: metrics._Memory) -> None:
    metrics.count("turns", outcome="answered", source="model")
    assert metrics.flush()
    metrics.count("turns", 2, source="model", outcome="answered")
    metrics.count("turns", outcome="failed", source="system")
    assert metrics.flush()
    assert totals(server) == {
        '["turns", "", "answered", "model"]': 3,
        '["turns", "", "failed", "system"]': 1,
    }


def test_observation_falls_into_the_bucket_whose_bound_it_does_not_pass(
    server: redis.Redis, memory: metrics._Memory
) -> None:
    for seconds in (0.5, 0.51, 500):
        metrics.observe("first_text_seconds", seconds, model_class="small")
    metrics.flush()
    assert totals(server) == {
        '["first_text_seconds", "0.5", "small"]': 1,
        '["first_text_seconds", "1.0", "small"]': 1,
        '["first_text_seconds", "+Inf", "small"]': 1,
        '["first_text_seconds", "sum", "small"]': pytest.approx(501.01),
    }


def test_unknown_names_and_labels_are_refused(memory: metrics._Memory) -> None:
    with pytest.raises(KeyError):
        metrics.count("cups_of_tea")
    with pytest.raises(KeyError):
        metrics.count("turns", outcome="answered", colour="blue")
    with pytest.raises(ValueError, match="takes the labels"):
        metrics.count("turns", outcome="answered")
    with pytest.raises(ValueError, match="is a counter"):
        metrics.observe("turns", 1, outcome="answered", source="model")
    with pytest.raises(ValueError, match="only goes up"):
        metrics.count("attempts", -1)


def test_endless_label_values_are_counted_together(server: redis.Redis, memory: metrics._Memory) -> None:
    for number in range(metrics.MOST_SERIES + 50):
        metrics.count("upstream_calls", provider="p", model=f"model-{number}", outcome="ok")
    metrics.flush()
    counted = totals(server)
    assert len(counted) == metrics.MOST_SERIES + 1
    assert counted['["upstream_calls", "", "other", "other", "other"]'] == 50


def test_what_is_counted_while_redis_is_away_is_pushed_later(
    server: redis.Redis, memory: metrics._Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics.count("attempts", 3)
    with monkeypatch.context() as away:
        away.setattr(metrics, "client", lambda: redis.Redis(host="127.0.0.1", port=9, socket_timeout=1))
        assert not metrics.flush()
        metrics.count("attempts")
        assert not metrics.flush()
    assert metrics.flush()
    assert totals(server) == {'["attempts", ""]': 4}


def test_threads_lose_no_count(server: redis.Redis, memory: metrics._Memory) -> None:
    done = threading.Event()

    def push() -> None:
        while not done.is_set():
            metrics.flush()

    def add() -> None:
        for _ in range(2000):
            metrics.count("attempts")

    pusher = threading.Thread(target=push)
    adders = [threading.Thread(target=add) for _ in range(4)]
    for thread in (pusher, *adders):
        thread.start()
    for thread in adders:
        thread.join()
    done.set()
    pusher.join()
    metrics.flush()
    assert totals(server) == {'["attempts", ""]': 8000}


def test_gauges_are_stamped_and_go_with_their_process(server: redis.Redis, memory: metrics._Memory) -> None:
    metrics.gauge("sockets", 5, kind="chat")
    metrics.gauge("sockets", 7, kind="chat")
    metrics.flush()
    kept = json.loads(server.hgetall(metrics.GAUGES)[metrics.process().encode()])
    assert kept["values"] == [["sockets", 7, "chat"]]
    assert abs(kept["at"] - server.time()[0]) <= 2
    metrics.count("attempts")
    metrics.leave()
    assert server.hgetall(metrics.GAUGES) == {}
    assert totals(server) == {'["attempts", ""]': 1}


def test_thread_pushes_without_being_asked(server: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = metrics._Memory()
    pushed = threading.Event()
    push = fresh.push

    def push_and_tell() -> bool:
        try:
            return push()
        finally:
            pushed.set()

    monkeypatch.setattr(metrics, "PUSH_SECONDS", 0.01)
    monkeypatch.setattr(metrics, "_memory", fresh)
    monkeypatch.setattr(fresh, "push", push_and_tell)
    metrics.count("events_dropped")
    assert pushed.wait(10)
    assert totals(server) == {'["events_dropped", ""]': 1}
