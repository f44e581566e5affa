"""`manage.py erase_again`: a backup brings erased customers back, and this erases them once more.

The audit log of the restored database knows only the erasures from before that backup. So the list of all of
them is kept beside the backups (`--list`, after each of them), and given to the restored database (`--from`).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import AuditEntry, Customer
from bot.rights import erasure

REASON = "erased before; brought back by a backup"
Erased = dict[UUID, datetime]


class Command(BaseCommand):
    help = "Erase again whom the audit log, or a list made with --list, says were erased."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", action="store_true", help="only print who was erased, and when")
        parser.add_argument(
            "--from",
            dest="source",
            type=Path,
            help="a file with such a list, printed before the backup was restored",
        )

    def handle(self, *args: Any, source: Path | None = None, **options: Any) -> None:
        erased = _latest(_recorded())
        if options["list"]:
            for customer, at in sorted(erased.items(), key=lambda one: one[1]):
                self.stdout.write(f"{at.isoformat()} {customer}")
            return
        if source:
            erased = _latest([*erased.items(), *_listed(source.read_text().splitlines())])
        done = [self._erase(customer, at) for customer, at in erased.items()]
        self.stdout.write(f"{len(erased)} erasures known, {sum(done)} done again.")

    def _erase(self, customer_id: UUID, at: datetime) -> bool:
        """Only what is from before: whoever came back after the erasure keeps what was said since."""
        customer = Customer.objects.filter(id=customer_id).first()
        if customer is None or (customer.erased_at and customer.erased_at >= at):
            return False
        erasure.erase(customer, None, REASON)
        return True


def _recorded() -> Iterator[tuple[UUID, datetime]]:
    entries = AuditEntry.objects.filter(action="erase", subject__startswith="customer:")
    for subject, detail in entries.values_list("subject", "detail").iterator():
        yield UUID(subject.partition(":")[2]), datetime.fromisoformat(detail["erased_at"])


def _listed(lines: Iterable[str]) -> Iterator[tuple[UUID, datetime]]:
    for number, line in enumerate(lines, start=1):
        try:
            at, customer = line.split()
            yield UUID(customer), datetime.fromisoformat(at)
        except ValueError:
            raise CommandError(f"Line {number} is not a time and a customer's number.") from None


def _latest(erasures: Iterable[tuple[UUID, datetime]]) -> Erased:
    latest: Erased = {}
    for customer, at in erasures:
        latest[customer] = max(at, latest.get(customer, at))
    return latest
