"""How long it takes to mask a message, the detecting process warm, and how many a second it can read."""

import time
from concurrent.futures import ThreadPoolExecutor

from bot.privacy import rules
from bot.privacy.engine import Engine
from bot.privacy.engines import Engines
from bot.privacy.memory_vault import MemoryVault
from bot.privacy.scrub import scrub
from tests.bench import detecting
from tests.bench.figures import Measured, Row, milliseconds, percentile

TIMES = 200
STREAMS = 100
AT_ONCE = 300
SHORT = "Hello, this is John Smith, my parcel has not come, please write to john@example.com soon."
LONG = (
    "Good morning, my name is Maria Jensen and I ordered two rain jackets from you three weeks ago, on the"
    " second of the month. The order number is 4711-2203. One of them came last Friday and fits well, but the"
    " other one is missing, although your page says that both were sent together. I have already called the"
    " carrier and was told to ask you. Could you please find out where it is? If it is lost I would rather"
    " have the money back than wait any longer. You can reach me at maria.jensen@example.com or on"
    " +1 212 555 0187 after six."
)


def measure() -> Measured:
    with detecting.running(Engine()) as engine:
        rows = [_row(engine, SHORT, "≤ 6 ms"), _row(engine, LONG, "≤ 18 ms")]
    rows += [_rate(count, text) for count in (1, 2) for text in (SHORT, LONG)]
    return Measured(f"Scrubbing a message, {TIMES} times each", rows)


def _row(engine: Engine, text: str, reach: str) -> Row:
    times = []
    for _ in range(TIMES):
        began = time.perf_counter()
        scrub([text], MemoryVault(), engine, "en", rules.of())
        times.append(time.perf_counter() - began)
    return Row(f"{len(text.split())} words, p50", milliseconds(percentile(times, 0.5)), reach)


def _rate(count: int, text: str) -> Row:
    """As many as there are streams ask at once; each of `count` processes reads one after the other."""
    with detecting.running(Engines(count, call_limit=60)) as engines:
        began = time.perf_counter()
        with ThreadPoolExecutor(STREAMS) as threads:
            list(threads.map(lambda _: engines.detect([text], "en", rules.of()), range(AT_ONCE)))
        rate = AT_ONCE / (time.perf_counter() - began)
    return Row(f"{len(text.split())} words, {count} processes, texts a second", f"{rate:.0f}", "≥ 80 turns/s")
