"""A batch of events and messages on its way to Redis, in one pipeline, and what Redis answers to each."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import redis
import structlog
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, RedisError, ResponseError
from redis.retry import Retry

from bot.outbox.channel import Channel
from bot.outbox.keys import turn_keys, wire_group
from bot.outbox.scripts import WRITE

LOG_EVENTS = 2000
LOG_SECONDS = 3600
SOCKET_SECONDS, CONNECT_SECONDS = 3, 1
# Redis is full, has a full disk, or is a replica by now. Inside a script these are part of a longer text.
NOT_NOW = ("OOM", "MISCONF", "READONLY")

log = structlog.get_logger(__name__)


@dataclass
class Event:
    channel: Channel
    kind: str
    body: str
    # It may begin a log; every other must find the one it belongs to.
    fresh: bool
    # Numbers begin above the floor where Redis has lost its count, and above the leap in any case.
    floor: int = 0
    leap: int = 0


@dataclass
class Publication:
    group: str
    body: str


Batch: TypeAlias = list[Event | Publication]


class Wire:
    def __init__(self, url: str) -> None:
        # No repetition by the client: it would write a pipeline twice that Redis took before the line broke.
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=SOCKET_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            health_check_interval=15,
            retry=Retry(NoBackoff(), 0),
        )
        self._sha = self._redis.register_script(WRITE).sha

    def write(self, batch: Batch) -> list[Any]:
        """A number, FENCED or LOST for each event; an error where Redis did not take it."""
        answers = self._execute(batch)
        unknown = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            again = self._execute([batch[place] for place in unknown], load=True)
            for place, answer in zip(unknown, again, strict=True):
                answers[place] = answer
        return answers

    def _execute(self, batch: Batch, *, load: bool = False) -> list[Any]:
        pipe = self._redis.pipeline(transaction=False)
        for item in batch:
            if isinstance(item, Publication):
                pipe.publish(item.group, item.body)
            else:
                pipe.evalsha(self._sha, 2, *turn_keys(item.channel.turn), *_arguments(item))
        try:
            if load:
                self._redis.script_load(WRITE)
            return pipe.execute(raise_on_error=False)
        except RedisError as error:
            log.warning("redis does not take events", error=type(error).__name__, count=len(batch))
            return [error] * len(batch)


def is_for_later(answer: object) -> bool:
    """Whether Redis is away, full or read-only: an error, and not of ours."""
    if not isinstance(answer, ResponseError):
        return isinstance(answer, RedisError)
    known = isinstance(answer, NoScriptError | OutOfMemoryError | ReadOnlyError)
    return known or any(sign in str(answer) for sign in NOT_NOW)


def _arguments(item: Event) -> tuple[int | str, ...]:
    return (
        item.channel.attempt,
        item.body,
        wire_group(item.channel.group),
        LOG_SECONDS,
        LOG_EVENTS,
        item.floor,
        item.leap,
        int(item.fresh),
        int(item.kind == "final"),
    )
