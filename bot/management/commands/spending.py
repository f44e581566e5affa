"""`manage.py spending`: the switch that stops all spending, from the command line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import spending
from accounts.sealing import CannotUnseal

_WRONG_KEYS = (
    "DATA_KEYS: none of its keys opens what this database holds, so that the audit log could not be written. "
    "`make run` keeps its own in var/secrets.json."
)


class Command(BaseCommand):
    help = "Stop all spending at once, allow it again, or tell how it stands."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["stop", "allow", "status"])
        parser.add_argument("--reason", default="", help="why it is stopped, for the other admins")

    def handle(self, *args: Any, action: str, reason: str, **options: Any) -> None:
        if action == "stop":
            self._stop(reason.strip())
        elif action == "allow":
            self._allow()
        self.stdout.write(_status())

    def _stop(self, reason: str) -> None:
        if not reason:
            raise CommandError('Say why: spending stop --reason "…"')
        try:
            thrown = spending.stop(None, reason)
        except CannotUnseal:
            # What runs away is stopped first.
            thrown = spending.stop(None, reason, recorded=False)
            self.stderr.write(f"{_WRONG_KEYS} Spending is stopped all the same.")
        if not thrown:
            self.stdout.write("It was stopped already.")
        elif len(reason) > spending.LONGEST_REASON:
            self.stdout.write(f"Of the reason the first {spending.LONGEST_REASON} characters are shown.")

    def _allow(self) -> None:
        try:
            if not spending.allow(None):
                self.stdout.write("Nothing was stopped.")
        except CannotUnseal:
            raise CommandError(f"{_WRONG_KEYS} Nothing was changed.") from None


def _status() -> str:
    stop = spending.stopped()
    if stop is None:
        return "Spending is allowed."
    return (
        f"Spending is stopped since {stop.stopped_at:%Y-%m-%d %H:%M} UTC by {stop.stopped_by}: "
        f"{stop.stop_reason}\nNo model is asked; customers get answers without a model."
    )
