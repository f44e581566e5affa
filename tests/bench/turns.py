"""The benchmarks: what the design wants to reach, measured. No time is asserted; what is lost fails the run.

Without a row named, all are measured, one after the other:
"""

import argparse
import sys
from collections.abc import Callable, Iterator

from tests.bench import customers, idle, recovery, remembering, rungs, scrubbing, talking
from tests.bench.figures import Measured
from tests.bench.product import Speed
from tests.bench.talking import Plan

ROWS: dict[str, Callable[[], Measured]] = {
    "canned": rungs.canned,
    "degraded": rungs.degraded,
    "recovery": recovery.measure,
    "scrub": scrubbing.measure,
    "sockets": idle.sockets,
    "prompt": remembering.measure,
    "memory": idle.memory,
}


def main() -> int:
    given = _arguments()
    speed = Speed(given.first_token, given.pace, given.tokens)
    plan = Plan(given.turns, given.warm_up, speed, given.by_step, given.workers)
    lost = False
    for measure in _chosen(given.rows, given.conversations, plan):
        measured = measure()
        print(measured, flush=True)
        lost = lost or bool(measured.lost)
    return int(lost)


def _chosen(rows: list[str], conversations: list[int], plan: Plan) -> Iterator[Callable[[], Measured]]:
    for count in conversations if "turns" in rows else []:
        yield lambda count=count: talking.measure(count, plan)  # type: ignore[misc]
    yield from (measure for name, measure in ROWS.items() if name in rows)


def _arguments() -> argparse.Namespace:
    names = ["turns", *ROWS]
    parser = argparse.ArgumentParser(prog="python -m tests.bench.turns", description=f"{__doc__} {names}")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(names)}", default=names)
    parser.add_argument(
        "--conversations", type=int, nargs="+", default=[1, 25, 100], help="at once (default 1 25 100)"
    )
    parser.add_argument("--turns", type=int, default=8, help="of each conversation (default 8)")
    parser.add_argument("--warm-up", type=int, default=4, help="turns of each before those (default 4)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--by-step", action="store_true", help="tell the worker's CPU by step of a turn")
    parser.add_argument("--first-token", type=float, default=0.2, help="the model's, in seconds")
    parser.add_argument("--pace", type=float, default=0.02, help="seconds between the model's tokens")
    parser.add_argument("--tokens", type=int, default=30, help="of each answer")
    given = parser.parse_args()
    if unknown := set(given.rows) - set(names):
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    if given.workers < 1 or (given.by_step and given.workers > 1):
        parser.error("steps are told of one worker")
    said = given.turns + given.warm_up
    if given.turns < 1 or said >= customers.MESSAGES_A_MINUTE or min(given.conversations) < 1:
        parser.error(f"a customer may send {customers.MESSAGES_A_MINUTE} messages a minute")
    return given


if __name__ == "__main__":
    sys.exit(main())
