"""How long it takes to replay many turns of the ledger against a draft of limits, and how much memory.

`python -m tests.bench.whatif --turns 100000` starts a database of its own, fills it, and prints figures.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from config.embedded.servers import servers
from tests import product
from tests.bench.figures import Measured, Row

SITE = "bench"
REACH = 5.0
# A third of the turns ask a model twice; a twentieth of the customers ask half of the questions.
FILL = """
INSERT INTO accounts_usageentry (call, turn, attempt, customer, site, tier, provider, model, model_class,
            input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost, price_source, confidence,
            outcome, seconds, created_at)
SELECT gen_random_uuid(), md5('turn' || n)::uuid, 1,
       md5('customer' || floor(5000 * power(random(), 4)))::uuid,
       'bench', (ARRAY['free', 'plus', 'plus', 'vip'])[1 + n %% 4], 'model-1', class || '-1', class,
       1500 + n %% 1000, n %% 1000, 50 + n %% 200, 0, 0.0001 + (n %% 100) * 0.00001, 'list', 'exact',
       'ok', 1.5, now() - interval '30 days' * (1 - n::float / %(turns)s) + call * interval '2 seconds'
  FROM generate_series(1, %(turns)s) n
 CROSS JOIN LATERAL (SELECT (ARRAY['small', 'large', 'large', 'reasoning'])[1 + (n / 4) %% 4] AS class) c
 CROSS JOIN LATERAL generate_series(0, CASE WHEN n %% 3 = 0 THEN 1 ELSE 0 END) call
"""
# The customer is drawn for each call: those of one turn are made the same.
SAME = """
UPDATE accounts_usageentry e SET customer = f.customer
  FROM (SELECT turn, (min(customer::text))::uuid AS customer FROM accounts_usageentry GROUP BY turn) f
 WHERE f.turn = e.turn AND f.customer <> e.customer
"""


def measure(turns: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as folder, servers(Path(folder)) as urls:
        environment = product.environment(Path(folder), urls)
        product.run(["tests.seed", SITE, "http://127.0.0.1:9/v1"], environment)
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "tests.bench.whatif",
            "--turns",
            str(turns),
            "--inside",
        ]
        told = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    found = json.loads(told.stdout)
    rows = [
        Row("turns, calls", f"{found['turns']:,}, {found['calls']:,}"),
        Row("limits now, in the draft", f"{found['limits_now']}, {found['limits_draft']}"),
        Row("the statement alone", f"{found['query']:.2f} s"),
        Row("statement and both replays", f"{found['replay']:.2f} s", f"{REACH:.0f} s for 100,000"),
        Row("of it our own work (CPU)", f"{found['cpu']:.2f} s"),
        Row("the process at its largest", f"{found['peak_mb']:.0f} MB"),
        Row("beyond what it began with", f"{found['grown_mb']:.0f} MB"),
        Row("objects at most, by tracemalloc", f"{found['traced_mb']:.1f} MB"),
        Row("refused, stepped down by the draft", f"{found['refused']:,}, {found['stepped']:,}"),
        Row("spent now, with the draft", f"${found['now']:.2f}, ${found['draft']:.2f}"),
    ]
    slow = [f"{found['replay']:.1f} s"] if turns <= 100_000 and found["replay"] > REACH else []
    return Measured("What-if: the ledger against a draft", rows, slow)


def inside(turns: int) -> dict[str, object]:
    """In the product's environment, with a database that is empty but for the seed."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connection
    from django.utils import timezone

    from accounts import past_turns, whatif

    with connection.cursor() as cursor:
        cursor.execute(FILL, {"turns": turns})
        cursor.execute(SAME)
        cursor.execute("ANALYZE accounts_usageentry")
        cursor.execute("SELECT count(*) FROM accounts_usageentry")
        [calls] = cursor.fetchone()
    now, draft, offers = _books()
    since = timezone.now() - timedelta(days=31)
    before, began = _peak_mb(), time.perf_counter()
    count = sum(1 for _ in past_turns.since(since))
    read, worked = time.perf_counter(), time.process_time()
    told = whatif.replay(past_turns.since(since), [now, draft], offers)
    ended, peak, worked = time.perf_counter(), _peak_mb(), time.process_time() - worked
    tracemalloc.start()
    whatif.replay(past_turns.since(since), [now, draft], offers)
    _, traced = tracemalloc.get_traced_memory()
    return {
        "turns": count, "calls": calls, "query": read - began, "replay": ended - read, "cpu": worked,
        "peak_mb": peak, "grown_mb": peak - before, "traced_mb": traced / 2**20,
        "limits_now": len(now.limits),
        "limits_draft": len(draft.limits), "refused": told[1].total.refused, "stepped": told[1].total.stepped,
        "now": float(told[0].spent), "draft": float(told[1].spent),
    }  # fmt: skip


def _books():
    """Limits as the presets have them; the draft gives the tier plus half of its large answers."""
    from accounts.books import Book
    from accounts.models import Limit, Tier
    from accounts.prices import Rates
    from accounts.whatif import Offer

    free, plus, vip = (Tier(pk=n + 100, slug=slug) for n, slug in enumerate(("free", "plus", "vip")))
    plus.classes = vip.classes = ["reasoning", "large", "small"]
    free.classes = ["small", "large", "reasoning"]

    def limit(amount: float, **values: object) -> Limit:
        return Limit(amount=Decimal(str(amount)), **values)

    def of_plus(scale: float) -> list[Limit]:
        return [
            limit(50 * scale, tier=plus, model_class="reasoning", period="week", when_full="next"),
            limit(150 * scale, tier=plus, model_class="large", period="first_use", hours=3, when_full="next"),
            limit(20 * scale, tier=plus, model_class="large", when_full="next"),
            limit(300, tier=plus, period="day"),
            limit(2_000_000, tier=plus, metric="total_tokens", period="month"),
        ]

    everybody = [
        limit(10, tier=free),
        limit(5, scope="tier", tier=free, metric="money"),
        limit(60, scope="deployment", metric="money", period="month"),
        limit(60, scope="deployment", period="minute"),
        limit(50, scope="address"),
    ]
    names = {"free": free.classes, "plus": plus.classes, "vip": vip.classes}
    now = Book([*everybody, *of_plus(1)], names)
    rates = {
        name: Offer(
            f"{name}-1", Rates(Decimal(dear), Decimal(dear) / 2, Decimal(dear) * 4, Decimal(0), "own")
        )
        for name, dear in (("small", "0.15"), ("large", "2.5"), ("reasoning", "10"))
    }
    return now, now.drafted(plus, of_plus(0.1)), rates.get


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=100_000)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        print(json.dumps(inside(given.turns)))
        return
    measured = measure(given.turns)
    print(measured)
    sys.exit(bool(measured.lost))


if __name__ == "__main__":
    main()
