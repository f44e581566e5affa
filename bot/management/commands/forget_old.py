"""`manage.py forget_old`: what beat has done every night, now; or what it would delete."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bot.models import RetentionRun
from bot.rights import retention


class Command(BaseCommand):
    help = "Delete what is older than each site keeps it. Once a day for each site, whoever comes first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only tell what would be deleted")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        if dry_run:
            for due in retention.look(now):
                self._say(due.site, due.conversations, due.messages, due.calls)
            return
        if not retention.run(now):
            raise CommandError("Another process is at it.")
        for row in RetentionRun.objects.filter(day=retention.day_of(now)):
            self._say(row.site, row.conversations, row.messages, row.calls)

    def _say(self, site: str, conversations: int, messages: int, calls: int) -> None:
        self.stdout.write(
            f"{site}: {conversations} conversations, {messages} messages, {calls} records of tool calls"
        )
