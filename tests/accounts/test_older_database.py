"""A database from before limits had scopes and metrics goes on with its tiers, counts, holds and prices."""

import os
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection

pytestmark = [pytest.mark.thorough, pytest.mark.django_db(transaction=True)]

BEFORE = {"accounts": "0003", "bot": "0003"}
DAY = ("2026-03-01T00:00Z", "2026-03-02T00:00Z")
TURN, HELD, VISITED = uuid4(), uuid4(), uuid4()
ALICE = uuid4()


@pytest.fixture
def url() -> Iterator[str]:
    """A database of its own beside that of the tests."""
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS older_frontdesk WITH (FORCE)")
        cursor.execute("CREATE DATABASE older_frontdesk")
    parts = urlsplit(os.environ["DATABASE_URL"])
    yield urlunsplit(parts._replace(path="/older_frontdesk"))
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE older_frontdesk WITH (FORCE)")


def migrate(url: str, *target: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0", *target]
    done = subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def fill(database: psycopg.Connection) -> None:
    """Tiers of each class; alice had two of them on one day, and asks as a visitor, too."""
    run = database.execute
    for number, model_class in enumerate(("small", "large", "reasoning"), 1):
        run(
            "INSERT INTO accounts_tier (id, slug, name, rank, model_class) VALUES (%s, %s, %s, %s, %s)",
            [number, f"tier-{model_class}", model_class.title(), number, model_class],
        )
        run(
            "INSERT INTO accounts_limit (id, tier_id, metric, period, amount) VALUES (%s, %s, %s, %s, %s)",
            [number, number, "messages", "day", number * 10],
        )
    windows = [
        (1, "limit:1", f"customer:{ALICE}", 0, 3),
        (2, "limit:2", f"customer:{ALICE}", 1, 7),
        (3, "anonymous-address", "address:abc", 1, 2),
    ]
    for number, rule, subject, held, settled in windows:
        run(
            "INSERT INTO accounts_window (id, rule, subject, starts_at, ends_at, held, settled, overrun)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, 0)",
            [number, rule, subject, *DAY, held, settled],
        )
    holds = [(TURN, 2, "settled"), (HELD, 2, "held"), (HELD, 3, "held"), (VISITED, 3, "released")]
    for use, window, state in holds:
        run(
            "INSERT INTO accounts_hold (use, window_id, amount, state, created_at, expires_at)"
            " VALUES (%s, %s, 1, %s, %s, %s)",
            [use, window, state, *DAY],
        )
    run(
        "INSERT INTO accounts_usageentry (call, turn, attempt, customer, site, tier, provider, model,"
        " model_class, input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost, confidence,"
        " outcome, seconds, created_at)"
        " VALUES (%s, %s, 1, %s, 'demo', 'tier-large', 'Acme', 'own-7b', 'large', 100, 0, 300, 0, 0.5,"
        " 'exact', 'ok', 1, %s)",
        [uuid4(), TURN, ALICE, DAY[0]],
    )


def fill_models(database: psycopg.Connection) -> None:
    """One model with prices of its own in two classes, one at the list price."""
    database.execute(
        "INSERT INTO bot_provider (id, name, base_url, sealed_key, enabled, usage_in_stream, tools,"
        " system_role, max_tokens_name, connect_deadline)"
        " VALUES (1, 'Acme', 'http://127.0.0.1:9/v1', '', true, true, true, true, 'max_tokens', 3)"
    )
    models = [("own-7b", "small", 2, 8), ("own-7b", "large", 2, 8), ("gpt-4o-mini", "small", None, None)]
    for order, (name, model_class, paid_in, paid_out) in enumerate(models):
        database.execute(
            'INSERT INTO bot_model (provider_id, name, model_class, "order", enabled, context_tokens,'
            " answer_tokens, sampling, input_price, output_price)"
            " VALUES (1, %s, %s, %s, true, 16000, 800, true, %s, %s)",
            [name, model_class, order, paid_in, paid_out],
        )


def test_what_was_counted_held_and_paid_goes_on(url: str) -> None:
    for app, number in BEFORE.items():
        migrate(url, app, number)
    with psycopg.connect(url, autocommit=True) as database:
        fill(database)
        fill_models(database)
    migrate(url)
    with psycopg.connect(url) as database:

        def rows(query: str) -> list[tuple[object, ...]]:
            return database.execute(query).fetchall()  # type: ignore[arg-type]

        assert rows("SELECT slug, classes, pick FROM accounts_tier ORDER BY rank") == [
            ("tier-small", ["small"], "first"),
            ("tier-large", ["large", "small"], "first"),
            ("tier-reasoning", ["reasoning", "large", "small"], "first"),
        ]
        assert rows("SELECT scope, tier_id, metric, period, amount::int FROM accounts_limit ORDER BY id") == [
            ("customer", number, "messages", "day", number * 10) for number in (1, 2, 3)
        ]
        began = 1772323200
        # The fuller one of a day's two windows goes on; the other is kept for the record.
        assert rows("SELECT rule, number, held::int, settled::int FROM accounts_window ORDER BY id") == [
            ("messages:any:day:limit:1", began, 0, 3),
            ("messages:any:day", began, 1, 7),
            ("messages:any:day", began, 1, 2),
        ]
        assert rows(
            "SELECT use, turn, customer, metric, state, settled::int FROM accounts_hold ORDER BY id"
        ) == [
            (TURN, TURN, ALICE, "messages", "settled", 1),
            (HELD, HELD, ALICE, "messages", "held", 0),
            (HELD, HELD, ALICE, "messages", "held", 0),
            (VISITED, VISITED, UUID(int=0), "messages", "released", 0),
        ]
        assert rows("SELECT model, input::int, cached, output::int FROM bot_price") == [
            ("own-7b", 2, None, 8)
        ]
        assert rows("SELECT cost::float, input_price, price_source FROM accounts_usageentry") == [
            (0.5, None, "")
        ]
        ended = "SELECT accounts_end_quota(%s::uuid[], NULL, 'settled', '{held}')"
        assert database.execute(ended, [[HELD]]).fetchone() == (2,)
        assert rows("SELECT held::int, settled::int FROM accounts_window ORDER BY id")[1:] == [(0, 8), (0, 3)]
