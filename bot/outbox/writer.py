"""The one thread of a process that writes events to Redis: numbers, keeps for replay, publishes.

Callers never wait: they put an event and go on. What is put while the thread is busy goes out in one
pipeline, and pieces of text that follow each other within 40 ms are joined. Events of one process keep
their order.

What Redis has not surely taken is not repeated: once it is back, the turn is told again from the start,
as a reset and everything said since. So memory holds each reply once, however long Redis is away.
"""

import atexit
import json
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from bot import metrics
from bot.outbox.channel import ATTEMPT_NUMBERS, UNKNOWN_NUMBERS, Channel
from bot.outbox.keys import wire_group
from bot.outbox.log import Kept, Log
from bot.outbox.scripts import FENCED, LOST
from bot.outbox.wire import LOG_SECONDS, Batch, Event, Publication, Wire, is_for_later

# Redis is asked again after so long, and then after twice as long, up to the longest pause.
PAUSE_SECONDS, LONGEST_PAUSE = 0.05, 1.0
# What is over reaches its watchers from the database long before; the rest is found again in `ready`.
MOST_TORN, MOST_PUBLICATIONS = 1_000, 1_000
OVER_SECONDS = 30
log = structlog.get_logger(__name__)


@dataclass
class _Said:
    """What a caller has put; a delta as its bare text, `text` is the whole reply of a final."""

    channel: Channel
    kind: str
    body: str
    text: str = ""


@dataclass
class _Work:
    """What is to be written. Only the outbox's thread touches it."""

    ready: deque[Event | Publication] = field(default_factory=deque)
    speaking: dict[Channel, None] = field(default_factory=dict)
    # With the time since when Redis may lack something of the channel.
    torn: dict[Channel, float] = field(default_factory=dict)
    flushes: list[threading.Event] = field(default_factory=list)


class Outbox:
    def __init__(self, url: str) -> None:
        self._wire = Wire(url)
        self._log = Log(url)
        self._queue: queue.SimpleQueue[_Said | Publication | threading.Event] = queue.SimpleQueue()
        self._work = _Work()
        self._again_at = 0.0
        self._pause = PAUSE_SECONDS
        threading.Thread(target=self._run, name="outbox", daemon=True).start()

    def text(self, channel: Channel, text: str) -> None:
        """Text to append to a reply; may leave joined with what follows it."""
        self._queue.put(_Said(channel, "delta", text))

    def event(self, channel: Channel, kind: str, body: str, text: str = "") -> None:
        """A turn event: a JSON object without its number. `text`: the whole reply, where it is the final."""
        self._queue.put(_Said(channel, kind, body, text))

    def publish(self, group: str, message: dict[str, Any]) -> None:
        """A message to everybody who listens to `group`, not kept for replay."""
        self._queue.put(Publication(wire_group(group), json.dumps(message, ensure_ascii=False)))

    def take_over(self, channel: Channel) -> list[Kept]:
        """Shut out earlier attempts at the turn; all that was said. Raises RedisError within a second."""
        return self._log.take_over(channel.turn, channel.attempt, LOG_SECONDS)

    def forget(self, turns: list[str]) -> None:
        """Delete what these turns have said, from Redis. Raises RedisError."""
        # What this process still has to write of them is written before.
        self.flush()
        self._log.forget(turns, LOG_SECONDS)

    @property
    def log(self) -> Log:
        return self._log

    def flush(self, seconds: float = 5) -> bool:
        """Wait until everything put so far has been written; False when that took too long."""
        done = threading.Event()
        self._queue.put(done)
        return done.wait(seconds)

    def _run(self) -> None:
        while True:
            self._gather()
            if time.monotonic() >= self._again_at:
                self._write()
            if not (self._work.ready or self._work.torn or self._work.speaking):
                while self._work.flushes:
                    self._work.flushes.pop().set()

    def _gather(self) -> None:
        """Take what has been put, once there is something or something is due."""
        try:
            item = self._queue.get(timeout=self._patience())
            for _ in range(500):
                self._take(item)
                item = self._queue.get_nowait()
            self._take(item)
        except queue.Empty:
            return

    def _patience(self) -> float | None:
        work = self._work
        if work.ready or work.torn or work.flushes:
            moment = self._again_at
        elif work.speaking:
            moment = max(min(channel.due for channel in work.speaking), self._again_at)
        else:
            return None
        return max(0.0, moment - time.monotonic())

    def _take(self, item: _Said | Publication | threading.Event) -> None:
        if isinstance(item, Publication):
            self._work.ready.append(item)
        elif isinstance(item, threading.Event):
            self._work.flushes.append(item)
        elif item.channel.shut:
            return
        elif item.kind == "delta":
            self._take_text(item.channel, item.body)
        else:
            self._release(item.channel)
            if item.kind == "final":
                item.channel.end(item.body, item.text)
            else:
                item.channel.say(item.kind, item.body)
            self._line_up(item.channel, item.kind, item.body)

    def _take_text(self, channel: Channel, text: str) -> None:
        if channel.torn:
            channel.say("delta", text)
        else:
            channel.wait_for_more(text)
            self._work.speaking[channel] = None

    def _release(self, channel: Channel) -> None:
        """What was waiting for more text goes out."""
        if channel.pending:
            text = channel.release(time.monotonic())
            channel.say("delta", text)
            self._line_up(channel, "delta", channel.encode_text(text))
        self._work.speaking.pop(channel, None)

    def _line_up(self, channel: Channel, kind: str, body: str) -> None:
        if channel.torn:
            return
        # A log may begin with a reset, and a reset may leap: what an attempt begins with one does.
        leap = ATTEMPT_NUMBERS * max(1, channel.attempt) if kind == "reset" and not channel.begun else 0
        fresh = kind == "reset" or not channel.begun
        floor = max(channel.floor, channel.seq + UNKNOWN_NUMBERS if channel.begun else 0)
        self._work.ready.append(Event(channel, kind, body, fresh, floor, leap))
        channel.begun = True

    def _write(self) -> None:
        """One pipeline of everything that is due."""
        now = time.monotonic()
        for channel in list(self._work.speaking):
            if self._work.flushes or channel.is_due(now):
                self._release(channel)
        torn = [*self._work.torn]
        lined_up = [one for one in self._work.ready if isinstance(one, Publication) or not one.channel.torn]
        self._work.ready.clear()
        batch = [*_told_again(torn), *lined_up]
        if not batch:
            return
        if self._send(batch):
            self._pause, self._again_at = PAUSE_SECONDS, 0.0
            return
        self._again_at = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self._forget(now)

    def _send(self, batch: Batch) -> bool:
        """Write a batch; False when Redis should be left alone for a while."""
        answers = self._wire.write(batch)
        heeded = [self._heed(item, answer) for item, answer in zip(batch, answers, strict=True)]
        for channel in [channel for channel in self._work.torn if not channel.torn]:
            del self._work.torn[channel]
        return all(heeded)

    def _heed(self, item: Event | Publication, answer: Any) -> bool:
        """Act on what Redis has answered to one item; False when Redis is away or full."""
        away = is_for_later(answer)
        if isinstance(item, Publication):
            if away:
                self._work.ready.append(item)
        elif answer == FENCED:
            item.channel.shut = True
            item.channel.fenced.set()
            self._drop(item.channel)
        elif answer == LOST or away:
            self._tear(item.channel)
        elif isinstance(answer, int):
            item.channel.seq = answer
            if item.kind == "final" and not item.channel.torn:
                self._drop(item.channel)
        if isinstance(answer, RedisError) and not away:
            log.error("redis refuses an event", error=type(answer).__name__)
        return not away

    def _tear(self, channel: Channel) -> None:
        """Redis may lack something of it; what else was lined up is told again with the rest."""
        if channel.torn or channel.shut:
            return
        self._release(channel)
        channel.torn = True
        self._work.torn.setdefault(channel, time.monotonic())

    def _drop(self, channel: Channel) -> None:
        channel.said.clear()
        channel.pending, channel.torn = "", False
        self._work.torn.pop(channel, None)
        self._work.speaking.pop(channel, None)

    def _forget(self, now: float) -> None:
        """While Redis is away, what reaches its readers by another way makes room."""
        work = self._work
        late = [one for one, since in work.torn.items() if one.over and now - since > OVER_SECONDS]
        late += [*work.torn][: max(0, len(work.torn) - len(late) - MOST_TORN)]
        for channel in late:
            self._drop(channel)
        publications = [one for one in work.ready if isinstance(one, Publication)]
        kept = publications[-MOST_PUBLICATIONS:]
        work.ready = deque(kept)
        if lost := len(late) + len(publications) - len(kept):
            metrics.count("events_dropped", lost)
            log.warning("events dropped", count=lost)


def _told_again(torn: list[Channel]) -> Batch:
    """Everything said in the channels of which Redis may lack something."""
    events: Batch = []
    for channel in torn:
        channel.torn = False
        floor = max(channel.floor, channel.seq + UNKNOWN_NUMBERS)
        events.append(Event(channel, "reset", channel.reset, True, floor))
        for kind, what in channel.said:
            body = channel.encode_text(what) if kind == "delta" else what
            events.append(Event(channel, kind, body, False))
    return events


@cache
def outbox() -> Outbox:
    """This process's outbox, started at its first use."""
    started = Outbox(settings.REDIS_URL)
    atexit.register(started.flush, 2)
    return started
