"""How long quota takes to be held and settled, with a thousand and with a million calls in the books.

`python -m tests.bench.quota` starts two databases on one server, fills them, and asks both in turn: hold is
`usage.begin`, settle is `usage.end` with the settling of the turn's message. Five limits count each call. The
same module runs in the product's environment as whoever asks, one process for each database.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from config.embedded import Urls
from config.embedded.servers import servers
from tests import product
from tests.bench.figures import Measured, Row, milliseconds, percentile

MODULE = "tests.bench.quota"
SITE = "bench"
CUSTOMERS = 1000
DAYS = 90
AT_ONCE = (1, 8, 64)
# How many at once, and how many seconds a model takes between hold and settle: none, which nothing does but a
# test, and as little as a quick one.
LOADS = (*((at_once, 0.0) for at_once in AT_ONCE), (8, 0.2))
ROUNDS = 9
FEW = 1000

# One customer after the other, so that each has the same share of the past.
_FILL = {
    "windows": """
INSERT INTO accounts_window (rule, subject, number, starts_at, ends_at, held, settled, overrun)
SELECT rule, 'customer:' || c.id, extract(epoch FROM day)::bigint, day, day + interval '1 day', 0, 1, 0
  FROM accounts_customer c, unnest(ARRAY['messages:any:day', 'total_tokens:any:day']) rule,
       generate_series(date_trunc('day', now()) - %(days)s * interval '1 day', now() - interval '1 day',
                       interval '1 day') day
""",
    "entries": """
INSERT INTO accounts_usageentry (call, turn, attempt, customer, site, tier, provider, model, model_class,
            input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost, input_price, cached_price,
            output_price, call_price, price_source, confidence, outcome, seconds, created_at)
SELECT gen_random_uuid(), gen_random_uuid(), 1, c.id, 'bench', 'all', 'model-1', 'gpt-4o', 'large',
       1500, 0, 200, 0, 0.00575, 2.5, 1.25, 10, 0, 'list', 'exact', 'ok', 2,
       now() - (1 + n %% (%(days)s - 1)) * interval '1 day' - random() * interval '1 hour'
  FROM generate_series(1, %(entries)s) n
  JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM accounts_customer) c
    ON c.place = n %% %(customers)s
""",
    "holds": """
INSERT INTO accounts_hold (use, turn, customer, metric, window_id, amount, settled, overrun, state, late,
                           created_at, expires_at)
SELECT CASE w.metric WHEN 'messages' THEN e.turn ELSE e.call END, e.turn, e.customer, w.metric, w.id,
       1, 1, 0, 'settled', false, e.created_at, e.created_at + interval '3 minutes'
  FROM accounts_usageentry e
  JOIN (SELECT *, split_part(rule, ':', 1) AS metric FROM accounts_window) w
    ON w.subject = 'customer:' || e.customer AND w.starts_at = date_trunc('day', e.created_at)
""",
}


@dataclass(frozen=True)
class Round:
    """What one process measured: seconds of each hold and settle, and how long it all took."""

    hold: list[float]
    settle: list[float]
    seconds: float


class Asker:
    """A process that holds and settles in one database when it is told to."""

    def __init__(self, environment: dict[str, str], stack: ExitStack) -> None:
        command = [sys.executable, "-W", "ignore", "-m", MODULE, "--ask"]
        pipe = subprocess.PIPE
        self._process = stack.enter_context(
            subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)
        )
        stack.callback(self._process.terminate)

    def ask(self, at_once: int, answered_in: float, seconds: float) -> Round:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([at_once, answered_in, seconds]), file=self._process.stdin, flush=True)
        return Round(**json.loads(self._process.stdout.readline()))


def measure(entries: int, seconds: float) -> list[Measured]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="frontdesk-bench-")))
        urls = stack.enter_context(servers(folder))
        askers = {count: Asker(_database(folder, urls, count), stack) for count in (FEW, entries)}
        for asker in askers.values():
            asker.ask(1, 0, 1)
        return [_compared(askers, *load, seconds) for load in LOADS]


def _compared(askers: dict[int, Asker], at_once: int, answered_in: float, seconds: float) -> Measured:
    """Each database in turn, several times: what else the machine does falls on both."""
    rounds: dict[int, list[Round]] = {count: [] for count in askers}
    for _ in range(ROUNDS):
        for count, asker in askers.items():
            rounds[count].append(asker.ask(at_once, answered_in, seconds / ROUNDS))
    rows, medians = [], {}
    for count, some in rounds.items():
        hold = [one for each in some for one in each.hold]
        settle = [one for each in some for one in each.settle]
        medians[count] = (statistics.median(hold), statistics.median(settle))
        reach = "10 ms at 8 at once" if at_once == 8 else ""
        rows += [
            Row(f"hold, {count:,} calls, p50", milliseconds(medians[count][0])),
            Row(f"hold, {count:,} calls, p95", milliseconds(percentile(hold, 0.95)), reach),
            Row(f"settle, {count:,} calls, p50", milliseconds(medians[count][1])),
            Row(f"settle, {count:,} calls, p95", milliseconds(percentile(settle, 0.95))),
            Row(f"held and settled a second, {count:,} calls", f"{len(hold) / _took(some):.0f}"),
        ]
    few, many = medians.values()
    for place, name in enumerate(("hold", "settle")):
        rows.append(Row(f"{name}, p50, many over few", f"{many[place] / few[place]:.2f}", "0.80 to 1.20"))
    load = os.getloadavg()[0]
    said = f"{at_once} at once" + (f", each answered in {answered_in:g} s" if answered_in else "")
    return Measured(f"Quota, {said} (load of the machine {load:.1f})", rows)


def _took(rounds: list[Round]) -> float:
    return sum(each.seconds for each in rounds)


def _database(folder: Path, urls: Urls, entries: int) -> dict[str, str]:
    """The environment of a product whose books hold so many calls."""
    name = f"calls_{entries}"
    with psycopg.connect(urls.database, autocommit=True) as database:
        database.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    url = urlunsplit(urlsplit(urls.database)._replace(path=f"/{name}"))
    most = str(max(AT_ONCE) + 2)
    environment = product.environment(folder, Urls(url, urls.redis), DATABASE_POOL=most)
    product.run(["tests.seed", SITE, "http://127.0.0.1:9/v1"], environment)
    subprocess.run([sys.executable, "-W", "ignore", "-m", MODULE, "--prepare"], env=environment, check=True)
    # A young deployment has few windows, too.
    days = 2 if entries <= FEW else DAYS
    facts = {"entries": entries, "days": days, "customers": CUSTOMERS}
    began = time.monotonic()
    with psycopg.connect(url, autocommit=True) as database:
        # What is made here refers to what is there: nobody needs to look a million times.
        database.execute("SET session_replication_role = replica")
        for statement in _FILL.values():
            database.execute(statement, facts)  # type: ignore[arg-type]
        database.execute("VACUUM ANALYZE")
        [(calls, holds, windows)] = database.execute(
            "SELECT (SELECT count(*) FROM accounts_usageentry), (SELECT count(*) FROM accounts_hold),"
            " (SELECT count(*) FROM accounts_window)"
        ).fetchall()
    took = time.monotonic() - began
    print(f"{calls:,} calls, {holds:,} holds, {windows:,} windows; filled in {took:.0f} s", flush=True)
    return environment


def prepare() -> None:
    """Customers, and five limits that count each of their calls."""
    from decimal import Decimal

    from accounts.models import Customer, Limit, Site, Tier

    site, tier, much = Site.objects.get(key=SITE), Tier.objects.get(), Decimal(10**12)
    Customer.objects.bulk_create(
        Customer(site=site, sub_digest=f"{number:032}") for number in range(CUSTOMERS)
    )
    own = {"tier": tier, "amount": much}
    Limit.objects.create(**own)
    Limit.objects.create(**own, model_class="large", period="first_use", hours=3)
    Limit.objects.create(**own, metric="total_tokens")
    Limit.objects.create(scope="site", site=site, amount=much)
    Limit.objects.create(scope="deployment", metric="money", period="month", amount=much)


def ask() -> None:
    """Hold and settle as often as is asked for, line by line."""
    from accounts import limits
    from accounts.models import Customer

    customers = list(Customer.objects.select_related("site__default_tier", "tier", "token_tier"))
    bindings = [(customer.id, limits.binding(customer)) for customer in customers]
    for line in sys.stdin:
        print(json.dumps(_round(bindings, *json.loads(line))), flush=True)


def _round(
    bindings: list[tuple[Any, Any]], at_once: int, answered_in: float, seconds: float
) -> dict[str, Any]:
    told: dict[str, Any] = {"hold": [], "settle": []}
    began = time.monotonic()
    work = (bindings, answered_in, began + seconds, told)
    threads = [threading.Thread(target=_work, args=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told | {"seconds": time.monotonic() - began}


def _work(bindings: list[tuple[Any, Any]], answered_in: float, until: float, told: dict[str, Any]) -> None:
    from decimal import Decimal
    from uuid import uuid4

    from django.db import connection

    from accounts import quota, usage

    most = quota.Most("large", "gpt-4o", 1500, 800, Decimal("0.01175"))
    while time.monotonic() < until:
        customer, binding = random.choice(bindings)
        call = usage.CallCharge(
            call=uuid4(), turn=uuid4(), attempt=1, customer=customer, site=SITE, tier="all",
            provider="model-1", model="gpt-4o", model_class="large", tokens=usage.Counted(1500, 200),
            exact=True,
        )  # fmt: skip
        began = time.perf_counter()
        usage.begin(call, most, usage.Bound(binding))
        told["hold"].append(time.perf_counter() - began)
        time.sleep(answered_in * random.uniform(0.5, 1.5))
        began = time.perf_counter()
        usage.end(call)
        quota.settle(call.turn)
        told["settle"].append(time.perf_counter() - began)
    connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.quota", description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000, help="calls in the full books")
    parser.add_argument("--seconds", type=float, default=9, help="for each database and number at once")
    parser.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--ask", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.prepare or given.ask:
        import django

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        django.setup()
        return prepare() if given.prepare else ask()
    for measured in measure(given.entries, given.seconds):
        print(measured, flush=True)
    return None


if __name__ == "__main__":
    main()
