"""`manage.py holds`: what is held, and giving it back by hand."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import holds
from accounts.models import Hold
from accounts.prices import plain


class Command(BaseCommand):
    help = "Show what is held for answers under way, the oldest first, or give it back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--older", type=float, default=0, metavar="MINUTES", help="only what is older")
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--release", type=UUID, metavar="USE", help="give back what this use holds")
        group.add_argument(
            "--release-older", type=float, metavar="MINUTES", help="give back all that is held for longer"
        )

    def handle(
        self, *args: Any, older: float, release: UUID | None, release_older: float | None, **options: Any
    ) -> None:
        if release:
            self._release([release])
        elif release_older is not None:
            uses = holds.held(release_older).values_list("use", flat=True)
            self._release(list(dict.fromkeys(uses)))
        else:
            self._show(older)

    def _show(self, older: float) -> None:
        count = 0
        for count, hold in enumerate(holds.held(older).iterator(), 1):  # noqa: B007  told below
            self.stdout.write(_line(hold))
        self.stdout.write(f"{count} held." if count else "Nothing is held.")

    def _release(self, uses: list[UUID]) -> None:
        released = [hold for use in uses for hold in holds.release(use, None)]
        for hold in released:
            self.stdout.write(f"Released: {_line(hold)}")
        if not released and len(uses) == 1:
            raise CommandError("This use holds nothing: it was settled, released or has expired.")
        self.stdout.write(
            f"{len(released)} released. What a call costs that is still under way is counted when it ends."
        )


def _line(hold: Hold) -> str:
    minutes = (timezone.now() - hold.created_at).total_seconds() / 60
    return (
        f"{minutes:6.1f} min  use {hold.use}  turn {hold.turn}  customer {hold.customer}  "
        f"{plain(hold.amount)} {hold.metric}  {holds.where(hold)}  until {hold.expires_at:%Y-%m-%d %H:%M} UTC"
    )
