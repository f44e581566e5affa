"""Reading what a turn has said from Redis. Everything here waits for it, but not for long."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError
from redis.retry import Retry

from bot.outbox.keys import turn_keys
from bot.outbox.scripts import TAKE_OVER

READ_SECONDS = 1.0
CONNECT_SECONDS = 0.5
# Somebody has pressed a button and looks at it.
TAKE_OVER_SECONDS = 1.0


@dataclass(frozen=True)
class Kept:
    """One event of a turn, as it was written."""

    body: str

    @classmethod
    def read_already(cls, event: dict[str, Any], body: str) -> "Kept":
        kept = cls(body)
        vars(kept)["event"] = event
        return kept

    @cached_property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def seq(self) -> int:
        return int(self.event["seq"])

    def numbered(self, seq: int) -> "Kept":
        """The same with another number, which is the first field of every event that has one."""
        if self.body.startswith(f'{{"seq":{seq},'):
            return self
        rest = self.body.partition(",")[2] if self.body.startswith('{"seq":') else self.body[1:]
        return Kept(f'{{"seq":{seq},{rest}')

    @property
    def type(self) -> str:
        return str(self.event["type"])

    @property
    def is_final(self) -> bool:
        return '"type":"final"' in self.body and self.type == "final"


class Log:
    def __init__(self, url: str) -> None:
        # Once more where Redis has closed the connection meanwhile; who was too slow is not asked again.
        retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=READ_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            retry=retry,
            driver_info=None,
        )
        self._askers = ThreadPoolExecutor(4, thread_name_prefix="take-over")

    def read(self, turn: str, after: int) -> tuple[list[Kept], int]:
        """The events with a number above `after`, and the last number given. Raises RedisError."""
        counters, log = turn_keys(turn)
        pipe = self._redis.pipeline(transaction=False)
        pipe.xrange(log, min=f"{after + 1}-0")
        pipe.hget(counters, "seq")
        entries, seq = pipe.execute()
        kept = [Kept(fields[b"e"].decode()) for _, fields in cast("list[Any]", entries)]
        return kept, max(int(seq or 0), kept[-1].seq if kept else 0)

    def last_numbers(self, turns: Sequence[str]) -> list[int]:
        """The last number given in each of these turns; 0 where Redis knows nothing. Raises RedisError."""
        pipe = self._redis.pipeline(transaction=False)
        for turn in turns:
            pipe.hget(turn_keys(turn)[0], "seq")
        return [int(seq or 0) for seq in pipe.execute()]

    def take_over(self, turn: str, attempt: int, seconds_kept: int) -> list[Kept]:
        """Shut out earlier attempts; everything said so far. Raises RedisError, after a second at most."""
        asked = self._askers.submit(
            self._redis.eval, TAKE_OVER, 2, *turn_keys(turn), str(attempt), str(seconds_kept)
        )
        try:
            answer = asked.result(TAKE_OVER_SECONDS)
        except TimeoutError as error:
            raise RedisError from error
        return [Kept(entry[1][1].decode()) for entry in cast("list[Any]", answer)]

    def forget(self, turns: Sequence[str], seconds_kept: int) -> None:
        """Delete what these turns have said; whoever would write more is shut out. Raises RedisError."""
        pipe = self._redis.pipeline(transaction=False)
        for turn in turns:
            counters, log = turn_keys(turn)
            pipe.delete(log)
            pipe.hset(counters, "over", "1")
            pipe.expire(counters, seconds_kept)
        pipe.execute()
