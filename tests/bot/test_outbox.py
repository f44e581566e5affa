"""The thread that writes events, on the real Redis."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis
from django.conf import settings

from bot.outbox import Channel, Outbox


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client
        client.config_set("maxmemory", 0)


@pytest.fixture
def channel() -> Channel:
    return Channel(str(uuid4()), 1, "nobody", lambda text: f'{{"text":"{text}"}}')


def test_event_is_written_once_redis_has_room_again(server: redis.Redis, channel: Channel) -> None:
    outbox = Outbox(settings.REDIS_URL)
    server.config_set("maxmemory", 1)
    outbox.event(channel, '{"type":"final"}')
    assert not outbox.flush(0.3)
    assert outbox.replay(channel.turn, 0) == []
    server.config_set("maxmemory", 0)
    assert outbox.flush(5)
    assert outbox.replay(channel.turn, 0) == ['{"seq":1,"type":"final"}']


def test_events_go_on_counting_when_redis_has_lost_its_data(server: redis.Redis, channel: Channel) -> None:
    outbox = Outbox(settings.REDIS_URL)
    outbox.event(channel, '{"type":"working"}')
    assert outbox.flush()
    server.flushall()
    server.script_flush()
    outbox.event(channel, '{"type":"final"}')
    assert outbox.flush()
    assert outbox.replay(channel.turn, 0) == ['{"seq":2,"type":"final"}']
