"""`/health/…`: whether this deployment lives, and whether it can answer."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from django.conf import settings as real_settings
from django.test import Client
from django.utils import timezone

from accounts.models import Customer
from bot import heartbeats, line, metrics
from bot.models import Conversation, Turn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def server() -> Iterator[redis.Redis]:
    """Redis, where no worker has ever beaten."""
    with redis.Redis.from_url(real_settings.REDIS_URL) as client:
        client.delete(heartbeats.WORKERS)
        yield client
        client.delete(heartbeats.WORKERS)


@pytest.fixture
def waiting(alice: Customer) -> Turn:
    """A turn that waits for a worker."""
    conversation = Conversation.objects.create(site=alice.site, customer=alice)
    return Turn.objects.create(conversation=conversation)


def since(turn: Turn, seconds: float) -> None:
    Turn.objects.filter(id=turn.id).update(queued_at=timezone.now() - timedelta(seconds=seconds))


def ready(client: Client) -> tuple[int, dict[str, str]]:
    answer = client.get("/health/ready")
    return answer.status_code, answer.json()


def test_live_asks_nobody(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "client", lambda: pytest.fail("asked Redis"))
    assert client.get("/health/live").json() == {"status": "ok"}


def test_ready_when_a_worker_beats(client: Client) -> None:
    heartbeats.beat(8, 8)
    assert ready(client) == (200, {"database": "ok", "redis": "ok", "worker": "ok"})


def test_not_ready_when_no_worker_has_beaten(client: Client) -> None:
    assert ready(client) == (503, {"database": "ok", "redis": "ok", "worker": "no heartbeat"})


def test_not_ready_when_the_last_heartbeat_is_old(client: Client, server: redis.Redis) -> None:
    now = server.time()[0]
    server.hset(heartbeats.WORKERS, "a:1", json.dumps({"at": now - 16, "slots": 8, "busy": 0}))
    assert ready(client)[1]["worker"] == "no heartbeat"
    server.hset(heartbeats.WORKERS, "a:1", json.dumps({"at": now - 10, "slots": 8, "busy": 0}))
    assert ready(client)[1]["worker"] == "ok"


def test_not_ready_when_a_worker_with_room_takes_nothing(client: Client, waiting: Turn) -> None:
    heartbeats.beat(8, 7)
    since(waiting, 29)
    assert ready(client)[0] == 200
    since(waiting, 41)
    status, parts = ready(client)
    assert status == 503
    assert parts["worker"] == "does not take work: the oldest message waits 41 s"


def test_ready_while_messages_wait_because_all_workers_are_busy(client: Client, waiting: Turn) -> None:
    heartbeats.beat(8, 8)
    since(waiting, 600)
    assert ready(client)[1]["worker"] == "ok"


def test_redis_away_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = redis.Redis(host="127.0.0.1", port=9, retry=metrics.client().get_retry())
    monkeypatch.setattr(metrics, "client", lambda: nowhere)
    began = time.monotonic()
    status, parts = ready(client)
    assert time.monotonic() - began < 3
    assert status == 503
    assert parts == {
        "database": "ok",
        "redis": "does not answer",
        "worker": "unknown while redis does not answer",
    }


def test_database_that_hangs_is_named_within_seconds(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr("bot.web.health._select", lambda: release.wait(60))
    heartbeats.beat(8, 0)
    began = time.monotonic()
    status, parts = ready(client)
    assert time.monotonic() - began < 5
    assert (status, parts["database"]) == (503, "does not answer")
    assert parts["worker"] == "unknown while database does not answer"
    release.set()


def test_line_that_cannot_be_asked_is_not_called_well(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(now: object) -> float:
        raise TimeoutError

    monkeypatch.setattr(line, "oldest_wait", away)
    heartbeats.beat(8, 0)
    assert ready(client) == (503, {"database": "ok", "redis": "ok", "worker": "unknown"})


class TestHeartbeats:
    def test_worker_is_known_by_its_last_beat(self) -> None:
        heartbeats.beat(8, 1)
        heartbeats.beat(8, 5)
        assert heartbeats.workers() == [heartbeats.Worker(metrics.process(), 8, 5)]

    def test_slots_of_living_workers_are_summed(self, server: redis.Redis) -> None:
        now = server.time()[0]
        for name, age in (("a:1", 0), ("b:2", 9), ("dead:3", 20), ("gone:4", 4000)):
            server.hset(heartbeats.WORKERS, name, json.dumps({"at": now - age, "slots": 8, "busy": 0}))
        assert heartbeats.slots() == 16
        assert b"gone:4" not in server.hgetall(heartbeats.WORKERS)

    def test_worker_that_leaves_is_not_waited_for(self) -> None:
        heartbeats.beat(8, 0)
        heartbeats.stop()
        assert heartbeats.workers() == []
