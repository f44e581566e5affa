"""`manage.py spending`: the switch that stops all spending, from the command line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import spending


class Command(BaseCommand):
    help = "Stop all spending at once, allow it again, or tell how it stands."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["stop", "allow", "status"])
        parser.add_argument("--reason", default="", help="why it is stopped, for the other admins")

    def handle(self, *args: Any, action: str, reason: str, **options: Any) -> None:
        if action == "stop":
            if not reason.strip():
                raise CommandError('Say why: spending stop --reason "…"')
            if not spending.stop(None, reason.strip()):
                self.stdout.write("It was stopped already.")
        elif action == "allow" and not spending.allow(None):
            self.stdout.write("Nothing was stopped.")
        self.stdout.write(_status())


def _status() -> str:
    stop = spending.stopped()
    if stop is None:
        return "Spending is allowed."
    return (
        f"Spending is stopped since {stop.stopped_at:%Y-%m-%d %H:%M} UTC by {stop.stopped_by}: "
        f"{stop.stop_reason}\nNo model is asked; customers get answers without a model."
    )
