"""Random faults and random customers for minutes, then the judge.

1. Say the seed: with the same one the same customers do the same things and the same faults come, in turn.
2. Start the product. 3. Let customers live and faults come until the time is over. 4. Mend everything, wait
until it rests, and judge. 5. Print the counts.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.faults import oracle
from tests.faults.lives import Life, reply_of
from tests.faults.misfortunes import MISFORTUNES
from tests.faults.oracle import Staged
from tests.faults.play import Play
from tests.faults.stage import Stage

# A turn may meet several faults, each of which takes a lease's length or so.
STAGED = Staged(seconds=90, lost_events=True)
PATIENCE = 120.0
PAUSE = (2.0, 12.0)  # seconds between two faults


def main() -> int:
    given = _arguments()
    print(f"Seed {given.seed}; {given.minutes:g} minutes, {given.customers} customers", flush=True)
    with tempfile.TemporaryDirectory(prefix="frontdesk-soak-") as folder:
        stage = Stage(Path(folder))
        try:
            stage.reset()
            return asyncio.run(_soak(stage, given))
        finally:
            stage.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--customers", type=int, default=12)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    return parser.parse_args()


async def _soak(stage: Stage, given: argparse.Namespace) -> int:
    play = Play(stage)
    ends = time.monotonic() + given.minutes * 60
    stage.upstream.default = reply_of(given.seed)
    stage.enable(2)
    lives = [Life(play, random.Random(f"{given.seed} {number}")) for number in range(given.customers)]
    living = [asyncio.create_task(life.live(ends)) for life in lives]
    faults, crashes = await _misfortunes(stage, random.Random(given.seed), ends)
    did = sum(await asyncio.gather(*living), Counter[str]())
    verdict = await oracle.judge(stage, f"{stage.number}-", play.customers, STAGED, PATIENCE)
    _print(stage, play, verdict, {"faults": faults, "customers": did, "crashes": crashes})
    await play.leave()
    return 1 if verdict.wrong or crashes else 0


async def _misfortunes(stage: Stage, rng: random.Random, ends: float) -> tuple[Counter[str], Counter[str]]:
    """One after the other; after each what has ended is started again, as production would."""
    came, crashes = Counter[str](), Counter[str]()
    while time.monotonic() < ends:
        await asyncio.sleep(rng.uniform(*PAUSE))
        misfortune = rng.choice(MISFORTUNES)
        print(f"{time.strftime('%H:%M:%S')} {misfortune.__doc__}", flush=True)
        await misfortune(stage, rng)
        came[misfortune.__name__] += 1
        for process in stage.crashed:
            crashes[process.name] += 1
            print(f"{process.name} ended by itself: {process.last_words(2)}", flush=True)
        await stage.do(stage.run_all)
    return came, crashes


def _print(stage: Stage, play: Play, verdict: oracle.Verdict, counts: dict[str, Counter[str]]) -> None:
    found, tabs = verdict.records, play.tabs
    counts["turns"] = Counter(turn["outcome"] or turn["state"] for turn in found.turns.values())
    counts["attempts"] = Counter(f"{turn['attempt']}" for turn in found.turns.values())
    counts["losses"] = Counter(f"{turn['losses']}" for turn in found.turns.values())
    counts["upstream calls"] = Counter(entry["outcome"] for entry in found.entries)
    counts["upstream requests"] = Counter({"received": len(stage.upstream.completions)})
    counts["tabs"] = Counter(
        reconnects=sum(tab.connections - 1 for tab in tabs),
        resumes=sum(tab.resumes for tab in tabs),
        resets=sum(turn.resets for tab in tabs for turn in tab.turns.values()),
        too_fast=sum(tab.delayed for tab in tabs),
    )
    for name, counter in counts.items():
        print(f"{name}: {', '.join(f'{kind} {count}' for kind, count in sorted(counter.items())) or 'none'}")
    for problem in verdict.wrong:
        print(problem)
    print("The judge is content." if not verdict.wrong else f"{len(verdict.wrong)} things are wrong.")


if __name__ == "__main__":
    sys.exit(main())
