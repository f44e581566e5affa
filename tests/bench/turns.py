"""Many conversations at once against the whole product and a model of known speed.

1. Start the product. 2. Give every conversation a turn to warm up. 3. Read the meters, let all talk, read
the meters again. 4. Print the figures beside what the design wants to reach. No time is asserted; a lost
reply or character fails the run.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from tests.bench import customers, figures, meters
from tests.bench.customers import Turn
from tests.bench.figures import Run
from tests.bench.meters import Reading
from tests.bench.product import Product, Speed, running


def main() -> int:
    given = _arguments()
    speed = Speed(given.first_token, given.pace, given.tokens)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as folder:
        print("Starting the product …", flush=True)
        with running(Path(folder), speed, given.conversations + 2) as product:
            print(f"{given.conversations} conversations of {given.turns} turns …", flush=True)
            turns, before, after = asyncio.run(_talk(product, given.conversations, given.turns, speed))
            run = Run(turns, before, after, speed, load, figures.stored_replies(product))
    print(figures.table(run))
    return 1 if run.finals_lost or run.characters_lost else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.turns", description=__doc__)
    parser.add_argument("--conversations", type=int, default=25, help="at once (default 25)")
    parser.add_argument("--turns", type=int, default=4, help="of each, after one to warm up (default 4)")
    parser.add_argument("--first-token", type=float, default=0.2, help="the model's, in seconds")
    parser.add_argument("--pace", type=float, default=0.02, help="seconds between the model's tokens")
    parser.add_argument("--tokens", type=int, default=30, help="of each answer")
    given = parser.parse_args()
    if not 1 <= given.turns < customers.MESSAGES_A_MINUTE or given.conversations < 1 or given.tokens < 1:
        parser.error(f"a customer may send {customers.MESSAGES_A_MINUTE} messages a minute")
    return given


async def _talk(
    product: Product, conversations: int, turns: int, speed: Speed
) -> tuple[list[list[Turn]], Reading, Reading]:
    """The turns of each conversation, and the meters before and after."""
    go = asyncio.Barrier(conversations + 1)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(customers.talk(product, number, turns, speed, go))
            for number in range(conversations)
        ]
        await go.wait()
        await asyncio.sleep(meters.SETTLE_SECONDS)
        before = meters.read(product)
        await go.wait()
    await asyncio.sleep(meters.SETTLE_SECONDS)
    return [task.result() for task in tasks], before, meters.read(product)


if __name__ == "__main__":
    sys.exit(main())
