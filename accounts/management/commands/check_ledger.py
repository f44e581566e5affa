"""Check that windows, grants, holds and usage entries agree."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from accounts import ledger_check


class Command(BaseCommand):
    help = (
        "Compare the ledger's windows and grants with their holds and calls; exit with 1 where they differ."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=int, default=ledger_check.DAYS, help="How far back; windows that end since then."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = ledger_check.differences(timezone.now(), options["days"])
        if not found:
            self.stdout.write("the ledger agrees with its holds and calls")
            return
        rows = [("what", "which", "metric", "written", "should be")]
        rows += [(f"{d.kind}", d.which, d.metric, _said(d.written), _said(d.expected)) for d in found]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())
        self.stderr.write(f"{len(found)} differences")
        sys.exit(1)


def _said(amount: object) -> str:
    return "-" if amount is None else f"{amount}"
