"""What this deployment counts of itself, for those who watch it: numbers only, never what anybody wrote.

`count`, `observe` and `gauge` are cheap and never wait: they add up in memory. One thread of the process
pushes what was added to a hash in Redis every five seconds, so that totals go on whoever dies; while Redis
is away it is kept. `/metrics` shows the totals of all processes.
"""

import atexit
import json
import os
import socket
import threading
from bisect import bisect_left
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError
from redis.retry import Retry

PREFIX = "frontdesk_"
TOTALS = "fd:metrics"
GAUGES = "fd:gauges"
PUSH_SECONDS = 5
# A process that has not pushed for three rounds is gone, and its gauges with it.
FRESH_SECONDS = 15
# So many label values a metric has in one process before the rest are counted together as `other`.
MOST_SERIES = 200
OTHER = "other"

Labels: TypeAlias = tuple[str, ...]
# A name, a part of it, and its labels' values. The part is empty for a counter; a bucket's bound or `sum`.
Field: TypeAlias = tuple[str, str, Labels]


@dataclass(frozen=True, slots=True)
class Metric:
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: Labels = ()
    buckets: tuple[float, ...] = ()


_QUICK = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0, 60.0, 120.0)
_LONG = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 90.0, 180.0, 300.0)

# Every metric there is. In the output each name begins with PREFIX, and a counter's ends with _total.
METRICS: dict[str, Metric] = {
    "turns": Metric(
        "counter", "Turns that ended, by outcome and by the rung that answered.", ("outcome", "source")
    ),
    "turns_deferred": Metric("counter", "Turns answered in short whose real answer comes later."),
    "attempts": Metric("counter", "Attempts at turns, as claimed by workers."),
    "attempts_lost": Metric(
        "counter",
        "Attempts that came to nothing; cause lease (it expired: the worker died) or raised.",
        ("cause",),
    ),
    "first_text_seconds": Metric(
        "histogram", "From a message to the first text a customer sees of a model.", ("model_class",), _QUICK
    ),
    "first_text_over_model_seconds": Metric(
        "histogram", "The same, less the time the models themselves took.", ("model_class",), _QUICK
    ),
    "turn_seconds": Metric("histogram", "From a message to the end of its turn.", ("source",), _LONG),
    "upstream_calls": Metric(
        "counter", "Calls of models; outcome ok, stopped, or the error.", ("provider", "model", "outcome")
    ),
    "spent_dollars": Metric(
        "counter", "What calls of models have cost, as far as prices are known.", ("provider", "model")
    ),
    "upstream_first_token_seconds": Metric(
        "histogram", "From a call to the model's first piece.", ("provider", "model"), _QUICK
    ),
    "replays": Metric("counter", "Turns told again to a browser that missed events.", ("origin",)),
    "sockets": Metric("gauge", "Open sockets; kind chat or desk.", ("kind",)),
    "events_dropped": Metric("counter", "Events that Redis did not take in time."),
    "scrubber_failures": Metric("counter", "Texts that could not be scrubbed, and so went to no model."),
}

# Stamped by Redis' own clock: those of the hosts may differ.
_KEEP_GAUGES = """
local now = redis.call('TIME')[1]
redis.call('HSET', KEYS[1], ARGV[1], '{"at":' .. now .. ',"values":' .. ARGV[2] .. '}')
"""


def count(name: str, amount: float = 1, **labels: str) -> None:
    """Add to a counter."""
    _memory.add(_metric(name, "counter"), name, labels, amount)


def observe(name: str, value: float, **labels: str) -> None:
    """One more value in a histogram; seconds."""
    _memory.observe(_metric(name, "histogram"), name, labels, value)


def gauge(name: str, value: float, **labels: str) -> None:
    """How much there is now of something in this process; goes when the process goes."""
    _memory.set(_metric(name, "gauge"), name, labels, value)


def flush() -> bool:
    """Push now; False when Redis is away: what was counted is kept."""
    return _memory.push()


def leave() -> None:
    """This process ends: push what is left and take its gauges away."""
    _memory.leave()


@cache
def client() -> redis.Redis:
    """Impatient: who watches must not hang on what is watched."""
    # Once more where Redis has closed the connection meanwhile; what took too long is not asked again.
    retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1, retry=retry)


def process() -> str:
    """This process among all of the deployment."""
    return f"{socket.gethostname()}:{os.getpid()}"


class _Memory:
    """What this process has counted since its last push."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pushing = threading.Lock()
        self._added: defaultdict[Field, float] = defaultdict(float)
        self._gauges: dict[tuple[str, Labels], float] = {}
        self._series: defaultdict[str, set[Labels]] = defaultdict(set)
        self._thread: threading.Thread | None = None

    def add(self, metric: Metric, name: str, labels: dict[str, str], amount: float) -> None:
        if amount < 0:
            raise ValueError(f"{name} only goes up")
        with self._lock:
            self._added[name, "", self._values(metric, name, labels)] += amount
        self._start()

    def observe(self, metric: Metric, name: str, labels: dict[str, str], value: float) -> None:
        place = bisect_left(metric.buckets, value)
        part = str(metric.buckets[place]) if place < len(metric.buckets) else "+Inf"
        with self._lock:
            values = self._values(metric, name, labels)
            self._added[name, part, values] += 1
            self._added[name, "sum", values] += max(value, 0.0)
        self._start()

    def set(self, metric: Metric, name: str, labels: dict[str, str], value: float) -> None:
        with self._lock:
            self._gauges[name, self._values(metric, name, labels)] = value
        self._start()

    def push(self) -> bool:
        with self._pushing:
            with self._lock:
                added, self._added = self._added, defaultdict(float)
                gauges = dict(self._gauges)
            try:
                self._send(added, gauges)
            except RedisError:
                self._keep(added)
                return False
            return True

    def leave(self) -> None:
        with self._lock:
            self._gauges.clear()
        with suppress(RedisError):
            if self.push():
                client().hdel(GAUGES, process())

    def _values(self, metric: Metric, name: str, labels: dict[str, str]) -> Labels:
        if len(labels) != len(metric.labels):
            raise ValueError(f"{name} takes the labels {metric.labels}")
        values = tuple(str(labels[label]) for label in metric.labels)
        known = self._series[name]
        if values not in known:
            if len(known) >= MOST_SERIES:
                return tuple(OTHER for _ in values)
            known.add(values)
        return values

    def _send(self, added: dict[Field, float], gauges: dict[tuple[str, Labels], float]) -> None:
        # As a transaction: half of a push that is tried again would count twice.
        pipe = client().pipeline(transaction=True)
        for (name, part, values), amount in added.items():
            pipe.hincrbyfloat(TOTALS, json.dumps([name, part, *values]), amount)
        if gauges:
            body = json.dumps([[name, value, *values] for (name, values), value in gauges.items()])
            pipe.eval(_KEEP_GAUGES, 1, GAUGES, process(), body)
        if len(pipe):
            pipe.execute()

    def _keep(self, added: dict[Field, float]) -> None:
        with self._lock:
            for key, amount in added.items():
                self._added[key] += amount

    def _start(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
                    self._thread.start()
                    atexit.register(leave)

    def _run(self) -> None:
        while True:
            threading.Event().wait(PUSH_SECONDS)
            self.push()


def _metric(name: str, kind: str) -> Metric:
    metric = METRICS[name]
    if metric.kind != kind:
        raise ValueError(f"{name} is a {metric.kind}")
    return metric


_memory = _Memory()
