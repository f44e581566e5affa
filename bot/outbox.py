"""The one thread of a process that writes events to Redis: numbers, keeps for replay, publishes.

Callers never wait: they put an event and go on. What is put while the thread is busy goes out in one
pipeline, and pieces of text that follow each other within 40 ms are joined. Events of one process keep
their order.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import msgpack
import redis
import structlog
from django.conf import settings
from redis.backoff import ExponentialBackoff
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, RedisError, ResponseError
from redis.retry import Retry

PREFIX = "fd"  # as in CHANNEL_LAYERS; a group is PREFIX__group__<name> on the wire
JOIN_SECONDS = 0.04
JOIN_CHARACTERS = 64
LOG_EVENTS = 2000
LOG_SECONDS = 3600
GIVE_UP_SECONDS = 10
# Redis is full, has a full disk, or is a replica by now. Inside a script these are part of a longer text.
NOT_NOW = ("OOM", "MISCONF", "READONLY")

# Check the attempt, drop a repetition, take the next number, append for replay, publish for speed. The
# writer's own count makes a retried pipeline harmless; its last number goes on when Redis has lost its data.
_WRITE = """
local current = tonumber(redis.call('HGET', KEYS[1], 'attempt') or '0')
local attempt = tonumber(ARGV[1])
if attempt < current then return 0 end
if attempt > current then redis.call('HSET', KEYS[1], 'attempt', attempt, 'count', 0) end
local seq = tonumber(redis.call('HGET', KEYS[1], 'seq') or '0')
if tonumber(ARGV[6]) <= tonumber(redis.call('HGET', KEYS[1], 'count') or '0') then return seq end
seq = math.max(seq, tonumber(ARGV[7])) + 1
redis.call('HSET', KEYS[1], 'seq', seq, 'count', ARGV[6])
local body = '{"seq":' .. seq .. ',' .. string.sub(ARGV[2], 2)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], seq .. '-0', 'e', body)
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('PUBLISH', ARGV[3], cmsgpack.pack({type='turn_event', body=body}))
return seq
"""

# Raise the fence and read what the browser has been told so far.
_TAKE_OVER = """
if tonumber(redis.call('HGET', KEYS[1], 'attempt') or '0') < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'attempt', ARGV[1], 'count', 0)
  redis.call('EXPIRE', KEYS[1], ARGV[2])
end
return redis.call('XRANGE', KEYS[2], '-', '+')
"""

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class Channel:
    """Where one attempt of a turn writes. `fenced` is set once a newer attempt has been seen."""

    turn: str
    attempt: int
    group: str
    encode_text: Callable[[str], str]
    fenced: threading.Event = field(default_factory=threading.Event)
    count: int = 0
    seq: int = 0


def turn_keys(turn: str) -> tuple[str, str]:
    return f"{PREFIX}:turn:{turn}", f"{PREFIX}:turn:{turn}:log"


def wire_group(group: str) -> str:
    return f"{PREFIX}__group__{group}"


@dataclass
class _Text:
    channel: Channel
    text: str


@dataclass
class _Event:
    channel: Channel
    body: str
    count: int = 0


@dataclass
class _Publish:
    group: str
    payload: bytes


@dataclass
class _Pending:
    text: str
    due: float


class Outbox:
    def __init__(self, url: str) -> None:
        retry = Retry(ExponentialBackoff(cap=1), 3)
        self._redis = redis.Redis.from_url(
            url, socket_timeout=5, socket_connect_timeout=3, health_check_interval=15, retry=retry
        )
        self._script = self._redis.register_script(_WRITE)
        self._queue: queue.SimpleQueue[_Text | _Event | _Publish | threading.Event] = queue.SimpleQueue()
        self._pending: dict[Channel, _Pending] = {}
        self._sent: dict[Channel, float] = {}
        threading.Thread(target=self._run, name="outbox", daemon=True).start()

    def text(self, channel: Channel, text: str) -> None:
        """Text to append to a reply; may leave joined with what follows it."""
        self._queue.put(_Text(channel, text))

    def event(self, channel: Channel, body: str) -> None:
        """A turn event: a JSON object without its number."""
        self._queue.put(_Event(channel, body))

    def publish(self, group: str, message: dict[str, Any]) -> None:
        """A channel-layer message to everybody in `group`, not kept for replay."""
        self._queue.put(_Publish(wire_group(group), msgpack.packb(message, use_bin_type=True)))

    def take_over(self, channel: Channel) -> list[str]:
        """Shut out earlier attempts at the turn; the events written so far, as JSON. Waits for Redis."""
        answer = self._redis.eval(
            _TAKE_OVER, 2, *turn_keys(channel.turn), str(channel.attempt), str(LOG_SECONDS)
        )
        return [entry[1][1].decode() for entry in cast("list[Any]", answer)]

    def replay(self, turn: str, after: int) -> list[str]:
        """The events of a turn with a number above `after`, as JSON. Waits for Redis."""
        answer = self._redis.xrange(turn_keys(turn)[1], min=f"{after + 1}-0")
        return [fields[b"e"].decode() for _, fields in cast("list[Any]", answer)]

    def flush(self, seconds: float = 5) -> bool:
        """Wait until everything put so far has been written; False when that took too long."""
        done = threading.Event()
        self._queue.put(done)
        return done.wait(seconds)

    def _run(self) -> None:
        while True:
            batch: list[_Event | _Publish] = []
            waiting: list[threading.Event] = []
            for item in self._drain():
                if isinstance(item, threading.Event):
                    waiting.append(item)
                else:
                    self._take(item, batch)
            self._release(batch, everything=bool(waiting))
            self._write(batch)
            for event in waiting:
                event.set()

    def _drain(self) -> list[_Text | _Event | _Publish | threading.Event]:
        """At least one item, or none when pending text is due."""
        due = min((pending.due for pending in self._pending.values()), default=None)
        timeout = None if due is None else max(0.0, due - time.monotonic())
        try:
            items = [self._queue.get(timeout=timeout)]
        except queue.Empty:
            return []
        while len(items) < 500 and not self._queue.empty():
            items.append(self._queue.get())
        return items

    def _take(self, item: _Text | _Event | _Publish, batch: list[_Event | _Publish]) -> None:
        if isinstance(item, _Publish):
            batch.append(item)
        elif isinstance(item, _Text):
            pending = self._pending.get(item.channel)
            if pending is None:
                last = self._sent.get(item.channel, 0.0)
                self._pending[item.channel] = _Pending(item.text, last + JOIN_SECONDS)
            else:
                pending.text += item.text
        else:
            self._flush_text(item.channel, batch)
            batch.append(_counted(item))
            self._sent.pop(item.channel, None)

    def _release(self, batch: list[_Event | _Publish], *, everything: bool) -> None:
        now = time.monotonic()
        for channel, pending in list(self._pending.items()):
            if everything or pending.due <= now or len(pending.text) >= JOIN_CHARACTERS:
                self._flush_text(channel, batch)
                self._sent[channel] = now

    def _flush_text(self, channel: Channel, batch: list[_Event | _Publish]) -> None:
        pending = self._pending.pop(channel, None)
        if pending is not None:
            batch.append(_counted(_Event(channel, channel.encode_text(pending.text))))

    def _write(self, batch: list[_Event | _Publish]) -> None:
        """One pipeline; what Redis does not take is tried again for ten seconds, then dropped."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while batch:
            batch = self._try(batch)
            if batch and time.monotonic() > deadline:
                log.warning("events dropped", count=len(batch))
                return
            if batch:
                time.sleep(0.05)

    def _try(self, batch: list[_Event | _Publish]) -> list[_Event | _Publish]:
        """Write a batch; return what has to be written again."""
        pipe = self._redis.pipeline(transaction=False)
        for item in batch:
            if isinstance(item, _Publish):
                pipe.publish(item.group, item.payload)
            else:
                pipe.evalsha(self._script.sha, 2, *turn_keys(item.channel.turn), *_arguments(item))
        try:
            answers = pipe.execute(raise_on_error=False)
            if any(isinstance(answer, NoScriptError) for answer in answers):
                self._redis.script_load(_WRITE)
        except RedisError as error:
            log.warning("redis does not take events", error=type(error).__name__, count=len(batch))
            return batch
        return [item for item, answer in zip(batch, answers, strict=True) if not _heed(item, answer)]


def _heed(item: _Event | _Publish, answer: object) -> bool:
    """What Redis has answered to one item; False when it is to be written again."""
    if isinstance(item, _Event) and isinstance(answer, int):
        item.channel.seq = answer or item.channel.seq
        if answer == 0:
            item.channel.fenced.set()
    if not isinstance(answer, ResponseError):
        return True
    again = isinstance(answer, NoScriptError | OutOfMemoryError | ReadOnlyError) or any(
        sign in str(answer) for sign in NOT_NOW
    )
    if not again:
        log.error("redis refuses an event", error=type(answer).__name__)
    return not again


def _counted(item: _Event) -> _Event:
    item.channel.count += 1
    item.count = item.channel.count
    return item


def _arguments(item: _Event) -> tuple[int | str, ...]:
    channel = item.channel
    group = wire_group(channel.group)
    return (channel.attempt, item.body, group, LOG_SECONDS, LOG_EVENTS, item.count, channel.seq)


@cache
def outbox() -> Outbox:
    """This process's outbox, started at its first use."""
    return Outbox(settings.REDIS_URL)
