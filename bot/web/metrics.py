"""`/metrics`: what all processes have counted, and what PostgreSQL and Redis say now, for Prometheus."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from redis.exceptions import RedisError

from accounts import spending
from accounts.models import Hold
from bot import heartbeats, line
from bot.desk import alert_rules, budget, budget_names
from bot.metrics import FRESH_SECONDS, GAUGES, METRICS, PREFIX, TOTALS, Labels, Metric, client
from bot.models import Alert, Turn
from bot.web.within import SECONDS, within

LOOPBACK = ("127.0.0.1", "::1")
FORGET_SECONDS = 3600
# Series of one metric: by the values of its labels, what was counted in each part.
Series = dict[Labels, dict[str, float]]


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Numbers for whoever has the token; without one set, for this very machine while developing."""
    if not settings.METRICS_TOKEN and not _developer(request):
        return HttpResponseNotFound()
    if settings.METRICS_TOKEN and not _has_token(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(Everything()), content_type=content_type)


def _developer(request: HttpRequest) -> bool:
    """Not through a proxy: a tunnel's other end is loopback, too."""
    direct = request.META.get("REMOTE_ADDR") in LOOPBACK and "X-Forwarded-For" not in request.headers
    return settings.DEBUG and direct


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and constant_time_compare(token.strip(), settings.METRICS_TOKEN)


class Everything:
    """A collector as prometheus_client takes it. What does not answer is left out, and `up` says so."""

    def collect(self) -> Iterator[Family]:
        parts: dict[str, Callable[[], list[Family]]] = {
            "redis": _of_redis,
            "database": lambda: within(SECONDS, _of_database),
            "breakers": lambda: within(SECONDS, _of_breakers),
        }
        up = GaugeMetricFamily(f"{PREFIX}up", "Whether this part answers.", labels=["part"])
        for part, ask in parts.items():
            try:
                families = ask()
            except (RedisError, DatabaseError, TimeoutError):
                up.add_metric([part], 0)
            else:
                up.add_metric([part], 1)
                yield from families
        yield up


def _of_redis() -> list[Family]:
    """What was counted, the sockets open, the workers alive."""
    pipe = client().pipeline(transaction=False)
    pipe.time()
    pipe.hgetall(TOTALS)
    pipe.hgetall(GAUGES)
    (now, _), totals, processes = cast(
        "tuple[tuple[int, int], dict[bytes, bytes], dict[bytes, bytes]]", tuple(pipe.execute())
    )
    counted, gauges = _by_metric(totals), _fresh(processes, now)
    workers = heartbeats.workers()
    return [
        *(_family(name, metric, counted[name], gauges[name]) for name, metric in METRICS.items()),
        _gauge("workers", "Workers alive.", len(workers)),
        _gauge("worker_slots", "Turns they can work on at once.", sum(worker.slots for worker in workers)),
        _gauge("worker_busy", "Turns they work on.", sum(worker.busy for worker in workers)),
    ]


def _of_database() -> list[Family]:
    """The line, holds, alerts and budgets."""
    under_way = dict.fromkeys(("queued", "running"), 0)
    rows = Turn.objects.exclude(state=Turn.State.DONE).values_list("state")
    under_way |= dict(rows.annotate(Count("id")))
    later = Turn.objects.exclude(state=Turn.State.DONE).filter(answers__isnull=False).count()
    held = Hold.objects.filter(state=Hold.State.HELD).count()
    alerts = dict.fromkeys(alert_rules.RULES, 0)
    alerts |= dict(Alert.objects.filter(over_at__isnull=True).values_list("rule").annotate(Count("id")))
    return [
        _gauge("turns_under_way", "Turns by state.", under_way, "state"),
        _gauge("turns_deferred_under_way", "Of them: real answers to turns answered in short.", later),
        _gauge("queue_age_seconds", "How long the oldest message waits.", line.oldest_wait(timezone.now())),
        _gauge("holds_open", "Quota reserved for turns under way.", held),
        _gauge("alerts_open", "Alerts open, by rule.", alerts, "rule"),
        _gauge("spending_stopped", "1 while all spending is stopped.", float(bool(spending.stopped()))),
        _budgets(),
    ]


def _budgets() -> Family:
    """Of each limit that many share: what its window has used, for good."""
    family = GaugeMetricFamily(
        f"{PREFIX}budget_used_ratio", "Used of a shared limit; 1 is all of it.", labels=["id", "limit"]
    )
    for one in budget.shared(timezone.now()):
        family.add_metric([str(one.limit.id), budget_names.name(one.limit)], one.percent / 100)
    return family


def _of_breakers() -> list[Family]:
    """Of each model in use: a breaker is open until a call has gone well again."""
    family = GaugeMetricFamily(
        f"{PREFIX}breaker_open", "1 while a model is left alone.", labels=["provider", "model"]
    )
    for (provider, model), is_open in alert_rules.open_breakers().items():
        family.add_metric([provider, model], float(is_open))
    return [family]


def _gauge(name: str, help_: str, value: float | dict[str, Any], label: str = "") -> Family:
    if not isinstance(value, dict):
        return GaugeMetricFamily(PREFIX + name, help_, value=value)
    family = GaugeMetricFamily(PREFIX + name, help_, labels=[label])
    for key, number in value.items():
        family.add_metric([key], number)
    return family


def _family(name: str, metric: Metric, counted: Series, gauges: dict[Labels, float]) -> Family:
    if metric.kind == "histogram":
        return _histogram(name, metric, counted)
    if metric.kind == "gauge":
        gauge = GaugeMetricFamily(PREFIX + name, metric.help, labels=metric.labels)
        for values, value in gauges.items():
            gauge.add_metric(values, value)
        return gauge
    counter = CounterMetricFamily(PREFIX + name, metric.help, labels=metric.labels)
    if not metric.labels and not counted:
        # Nothing counted yet is zero: a first failure is then seen as an increase.
        counter.add_metric([], 0)
    for values, parts in counted.items():
        counter.add_metric(values, parts[""])
    return counter


def _histogram(name: str, metric: Metric, counted: Series) -> Family:
    family = HistogramMetricFamily(PREFIX + name, metric.help, labels=metric.labels)
    for values, parts in counted.items():
        buckets, so_far = [], 0.0
        for bound in (*metric.buckets, float("inf")):
            part = "+Inf" if bound == float("inf") else str(bound)
            so_far += parts.get(part, 0)
            buckets.append((part, so_far))
        family.add_metric(values, buckets, parts.get("sum", 0))
    return family


def _by_metric(totals: dict[bytes, bytes]) -> defaultdict[str, Series]:
    """Without what an earlier version has counted under names or labels that are no more."""
    counted: defaultdict[str, Series] = defaultdict(dict)
    for field, value in sorted(totals.items()):
        name, part, *values = json.loads(field)
        if _known(name, values):
            counted[name].setdefault(tuple(values), {})[part] = float(value)
    return counted


def _fresh(processes: dict[bytes, bytes], now: int) -> defaultdict[str, dict[Labels, float]]:
    """Summed over the processes that are alive; one gone for long is forgotten."""
    gauges: defaultdict[str, dict[Labels, float]] = defaultdict(dict)
    for process, body in processes.items():
        kept = json.loads(body)
        if now - kept["at"] > FORGET_SECONDS:
            client().hdel(GAUGES, process)
        if now - kept["at"] > FRESH_SECONDS:
            continue
        for name, value, *values in kept["values"]:
            if _known(name, values):
                gauges[name][tuple(values)] = gauges[name].get(tuple(values), 0) + value
    return gauges


def _known(name: str, values: Iterable[str]) -> bool:
    return name in METRICS and len(list(values)) == len(METRICS[name].labels)
