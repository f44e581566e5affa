"""`manage.py rotate_data_keys`: everything under the newest of DATA_KEYS, so that older ones can go."""

from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit, rotation, sealing

FIRST = """\
Put the new key first in DATA_KEYS, keep the old ones behind it, and restart all processes before this: what
still runs with the old setting would go on sealing with the old key."""


class Command(BaseCommand):
    help = (
        "Seal everything that DATA_KEYS seal with the newest of them. May be run again, while all runs. "
        + FIRST
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only tell which key is needed for how much")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        if not check:
            self._rotate()
        needed: Counter[int | None] = Counter()
        for seen in rotation.survey():
            needed += seen.by_key
            if check:
                self.stdout.write(f"{seen.column}: {seen.total}")
        self._conclude(needed)

    def _rotate(self) -> None:
        moved = 0
        for seen in rotation.rotate():
            moved += seen.moved
            self.stdout.write(f"{seen.column}: {seen.total}, moved {seen.moved}")
        if moved:
            audit.record(None, "rotate_keys", "deployment", moved=moved, newest=sealing.key_marks()[0])

    def _conclude(self, needed: Counter[int | None]) -> None:
        """Which keys are in use, and which can go; each is named by a digest of it, never by itself."""
        free = []
        for place, mark in enumerate(sealing.key_marks()):
            called = f"key {place + 1} of DATA_KEYS ({mark})"
            self.stdout.write(f"{called}: {needed[place]} values")
            if place and not needed[place]:
                free.append(called)
        if needed[None]:
            raise CommandError(f"{needed[None]} values are opened by none of DATA_KEYS: a key is missing.")
        if needed.total() > needed[0]:
            raise CommandError(f"Older keys are still needed. {FIRST}")
        self.stdout.write("The newest key alone opens every value.")
        if free:
            self.stdout.write(f"No longer needed, but for backups from before: {', '.join(free)}.")
