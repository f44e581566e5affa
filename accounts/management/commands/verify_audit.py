"""Check the audit log from its first entry to its last."""

import re
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit

_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


class Command(BaseCommand):
    help = "Verify the audit log; exit with 1 and name the first wrong entry when it does not hold."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head",
            metavar="N:HEX",
            help="A head kept outside: without one, a cut at the end cannot be seen.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = audit.verify(_head(options["head"]) if options["head"] else None)
        self.stdout.write(f"{found.count} entries verified\nhead {found.head}")
        if found.wrong is not None:
            self.stderr.write(f"entry {found.wrong} is missing or is not as it was written")
            sys.exit(1)


def _head(written: str) -> audit.Head:
    match = _HEAD.fullmatch(written.strip().lower())
    if match is None:
        raise CommandError("--head takes a number and 64 hex digits, as this command prints them: 5:3f…")
    return audit.Head(int(match[1]), match[2])
