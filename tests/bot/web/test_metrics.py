"""`/metrics`: who may read it, what it says, and what it says when half of everything is away."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as real_settings
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts import quota, spending
from accounts.models import Customer, Limit, User
from bot import heartbeats, line, metrics
from bot.llm.redis_breakers import RedisBreakers
from bot.models import Alert, Conversation, Model, Provider, Turn
from tests.bot.desk.test_budget_alerts import spend

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "a-token-for-the-watchers"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(autouse=True)
def server() -> Iterator[redis.Redis]:
    with redis.Redis.from_url(real_settings.REDIS_URL) as client:
        metrics.flush()
        client.delete(metrics.TOTALS, metrics.GAUGES, heartbeats.WORKERS)
        yield client
        client.delete(metrics.TOTALS, metrics.GAUGES, heartbeats.WORKERS)


@pytest.fixture
def watcher(client: Client, settings: Any) -> Client:
    settings.METRICS_TOKEN = TOKEN
    return client


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """What a hanging question waits for; set when the test is over."""
    event = threading.Event()
    yield event
    event.set()
    for thread in threading.enumerate():
        if thread.name == "within":
            thread.join(10)


def scrape(client: Client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by its name and sorted labels, read by the parser of prometheus_client."""
    answer = client.get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


class TestDoor:
    def test_token_opens(self, watcher: Client) -> None:
        assert watcher.get("/metrics", headers=BEARER).status_code == 200

    @pytest.mark.parametrize(
        "given",
        [None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN, "Bearer ünïcode"],
    )
    def test_anything_else_is_refused(self, watcher: Client, settings: Any, given: str | None) -> None:
        settings.DEBUG = True
        answer = watcher.get("/metrics", headers={"Authorization": given} if given is not None else {})
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert b"frontdesk_" not in answer.content

    def test_page_is_not_there_in_production_without_a_token(self, client: Client, settings: Any) -> None:
        settings.METRICS_TOKEN, settings.DEBUG = "", False
        assert client.get("/metrics").status_code == 404
        assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404

    def test_developer_reads_it_on_the_same_machine_only(self, client: Client, settings: Any) -> None:
        settings.METRICS_TOKEN, settings.DEBUG = "", True
        assert client.get("/metrics").status_code == 200
        assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 404
        assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 404

    def test_nothing_is_changed_through_it(self, watcher: Client) -> None:
        assert watcher.post("/metrics", headers=BEARER).status_code == 405

    def test_open_metrics_is_spoken_to_who_asks_for_it(self, watcher: Client) -> None:
        wanted = BEARER | {"Accept": "application/openmetrics-text; version=1.0.0"}
        answer = watcher.get("/metrics", headers=wanted)
        assert answer["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
        assert answer.content.endswith(b"# EOF\n")


class TestCounted:
    def test_totals_of_all_processes_are_shown(self, watcher: Client, server: redis.Redis) -> None:
        metrics.count("turns", outcome="answered", source="model")
        metrics.observe("first_text_seconds", 0.3, model_class="small")
        metrics.observe("first_text_seconds", 4, model_class="small")
        metrics.flush()
        # What another process has pushed.
        server.hincrbyfloat(metrics.TOTALS, '["turns", "", "answered", "model"]', 41)
        shown = scrape(watcher)
        small = ("model_class", "small")
        assert shown["frontdesk_turns_total", (("outcome", "answered"), ("source", "model"))] == 42
        assert shown["frontdesk_first_text_seconds_bucket", (("le", "0.25"), small)] == 0
        assert shown["frontdesk_first_text_seconds_bucket", (("le", "0.5"), small)] == 1
        assert shown["frontdesk_first_text_seconds_bucket", (("le", "5.0"), small)] == 2
        assert shown["frontdesk_first_text_seconds_bucket", (("le", "+Inf"), small)] == 2
        assert shown["frontdesk_first_text_seconds_count", (small,)] == 2
        assert shown["frontdesk_first_text_seconds_sum", (small,)] == pytest.approx(4.3)
        assert shown["frontdesk_events_dropped_total", ()] == 0

    def test_what_an_earlier_version_counted_is_left_out(self, watcher: Client, server: redis.Redis) -> None:
        server.hset(metrics.TOTALS, '["cups_of_tea", ""]', 3)
        server.hset(metrics.TOTALS, '["turns", "", "one label too few"]', 3)
        shown = scrape(watcher)
        assert not [name for name, _ in shown if "tea" in name or "turns_total" in name]

    def test_sockets_of_living_processes_are_summed(self, watcher: Client, server: redis.Redis) -> None:
        now = server.time()[0]
        for process, age, sockets in (
            ("a:1", 0, 5),
            ("b:2", 14, 7),
            ("dead:3", 16, 100),
            ("gone:4", 4000, 9),
        ):
            body = {"at": now - age, "values": [["sockets", sockets, "chat"]]}
            server.hset(metrics.GAUGES, process, json.dumps(body))
        shown = scrape(watcher)
        assert shown["frontdesk_sockets", (("kind", "chat"),)] == 12
        assert b"gone:4" not in server.hgetall(metrics.GAUGES)


class TestRead:
    def test_workers_line_breakers_holds_and_alerts_are_shown(
        self, watcher: Client, alice: Customer, carol: Customer, server: redis.Redis
    ) -> None:
        heartbeats.beat(8, 3)
        provider = Provider.objects.create(name="Acme", base_url="http://127.0.0.1:9/v1")
        for name in ("well", "ill"):
            Model.objects.create(provider=provider, name=name, model_class="small")
        breakers = RedisBreakers(server)
        for _ in range(5):
            breakers.record("Acme:ill", good=False, probe=False)
        now = timezone.now()
        for customer, state in ((alice, "queued"), (carol, "running")):
            conversation = Conversation.objects.create(site=customer.site, customer=customer)
            turn = Turn.objects.create(
                conversation=conversation, state=state, lease_until=now + timedelta(minutes=1)
            )
            Turn.objects.filter(id=turn.id).update(queued_at=now - timedelta(seconds=40))
        quota.hold(turn.id, carol, seconds=60)
        Alert.objects.create(rule="queue", value=40, bound=30)
        Alert.objects.create(rule="success", value=80, bound=95, over_at=now)

        shown = scrape(watcher)
        assert shown["frontdesk_workers", ()] == 1
        assert shown["frontdesk_worker_slots", ()] == 8
        assert shown["frontdesk_worker_busy", ()] == 3
        assert shown["frontdesk_turns_under_way", (("state", "queued"),)] == 1
        assert shown["frontdesk_turns_under_way", (("state", "running"),)] == 1
        assert 40 <= shown["frontdesk_queue_age_seconds", ()] < 60
        assert shown["frontdesk_breaker_open", (("model", "ill"), ("provider", "Acme"))] == 1
        assert shown["frontdesk_breaker_open", (("model", "well"), ("provider", "Acme"))] == 0
        assert shown["frontdesk_holds_open", ()] == 1
        assert shown["frontdesk_alerts_open", (("rule", "queue"),)] == 1
        assert shown["frontdesk_alerts_open", (("rule", "success"),)] == 0
        assert {shown["frontdesk_up", (("part", part),)] for part in ("redis", "database", "breakers")} == {1}
        server.delete("breaker:Acme:ill")

    def test_what_shared_limits_have_used_and_the_stop_are_shown(self, watcher: Client, dana: User) -> None:
        budget = Limit.objects.create(scope="deployment", metric="money", period="month", amount=20)
        spend(budget, 5, timezone.now())
        labels = (("id", str(budget.id)), ("limit", "The deployment, $20 a month"))
        shown = scrape(watcher)
        assert shown["frontdesk_budget_used_ratio", labels] == 0.25
        assert shown["frontdesk_spending_stopped", ()] == 0
        spending.stop(dana, "a loop")
        assert scrape(watcher)["frontdesk_spending_stopped", ()] == 1


class TestAway:
    def test_database_is_shown_while_redis_is_away(
        self, watcher: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nowhere = redis.Redis(host="127.0.0.1", port=9, retry=metrics.client().get_retry())
        with monkeypatch.context() as away:
            for module in ("bot.metrics", "bot.web.metrics"):
                away.setattr(f"{module}.client", lambda: nowhere)
            began = time.monotonic()
            shown = scrape(watcher)
        assert time.monotonic() - began < 5
        assert shown["frontdesk_up", (("part", "redis"),)] == 0
        assert shown["frontdesk_up", (("part", "breakers"),)] == 0
        assert shown["frontdesk_up", (("part", "database"),)] == 1
        assert shown["frontdesk_queue_age_seconds", ()] == 0

    def test_counts_are_shown_while_the_database_is_away(
        self, watcher: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(now: object) -> float:
            raise OperationalError

        monkeypatch.setattr(line, "oldest_wait", away)
        metrics.count("attempts", 4)
        metrics.flush()
        shown = scrape(watcher)
        assert shown["frontdesk_up", (("part", "database"),)] == 0
        assert shown["frontdesk_attempts_total", ()] == 4
        assert ("frontdesk_queue_age_seconds", ()) not in shown

    def test_scrape_waits_two_seconds_for_a_database_that_hangs(
        self, watcher: Client, monkeypatch: pytest.MonkeyPatch, release: threading.Event
    ) -> None:
        monkeypatch.setattr(line, "oldest_wait", lambda now: release.wait(60))
        began = time.monotonic()
        shown = scrape(watcher)
        assert time.monotonic() - began < 6
        assert shown["frontdesk_up", (("part", "database"),)] == 0
        assert shown["frontdesk_up", (("part", "redis"),)] == 1

    def test_scrape_does_not_wait_long_for_a_redis_that_hangs(
        self, watcher: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            hangs = redis.Redis(
                port=silent.getsockname()[1],
                retry=metrics.client().get_retry(),
                socket_timeout=metrics.client().get_connection_kwargs()["socket_timeout"],
            )
            for module in ("bot.metrics", "bot.web.metrics"):
                monkeypatch.setattr(f"{module}.client", lambda: hangs)
            began = time.monotonic()
            shown = scrape(watcher)
        assert time.monotonic() - began < 7
        assert shown["frontdesk_up", (("part", "redis"),)] == 0
        assert shown["frontdesk_up", (("part", "database"),)] == 1


@pytest.mark.parametrize("document", ["watching.md", "prometheus-alerts.yml"])
def test_documents_name_metrics_that_exist(watcher: Client, document: str) -> None:
    text = (real_settings.BASE_DIR / "docs" / document).read_text()
    families = text_string_to_metric_families(watcher.get("/metrics", headers=BEARER).content.decode())
    known = {name for family in families for name in (family.name, f"{family.name}_total")}
    known |= {f"frontdesk_{name}{part}" for name in metrics.METRICS for part in ("_bucket", "_count", "_sum")}
    named = set(re.findall(r"\bfrontdesk_[a-z_]+", text))
    assert named
    assert named <= known
    if document == "watching.md":
        documented = {name.removesuffix("_total") for name in named}
        assert {f"frontdesk_{name}" for name in metrics.METRICS} <= documented
