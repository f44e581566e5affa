"""`manage.py reconcile_usage export.csv --provider NAME`: whether a provider bills what the ledger says."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import reconcile, usage_export
from accounts.days import day
from accounts.models import UsageEntry
from accounts.prices import plain
from accounts.reconcile import Difference, Ledger
from accounts.usage_export import Export

_HELP = """
Compare the ledger with a provider's usage export, by day and model, and list what differs. Exit with 1 when
anything differs by more than the tolerance, with 2 when the file cannot be read.

The file is CSV (commas, semicolons or tabs) with a header. Understood are OpenAI's export of usage, its
export of costs grouped by line item, and any file with columns such as date, model, input_tokens,
cached_tokens, output_tokens, requests, cost; what a file has no column for is not compared. Days are those of
UTC, or of the offset that the file's times carry.
"""


class Command(BaseCommand):
    help = _HELP

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("export", type=Path)
        parser.add_argument("--provider", required=True, help="its name in the admin")
        parser.add_argument("--from", dest="first", type=day, metavar="2026-06-01")
        parser.add_argument("--to", dest="last", type=day, metavar="2026-06-30", help="inclusive")
        parser.add_argument(
            "--tolerance", type=_percent, default=Decimal(1), help="percent of what the provider says (1)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        export, provider = _read(options["export"]), options["provider"]
        if not UsageEntry.objects.filter(provider=provider).exists():
            known = ", ".join(UsageEntry.objects.order_by().values_list("provider", flat=True).distinct())
            raise CommandError(f"The ledger knows no provider {provider!r}, but {known or 'none at all'}.")
        days = sorted(used_on for used_on, _ in export.used)
        first, last = options["first"] or days[0], options["last"] or days[-1]
        if last < first:
            raise CommandError("--to is before --from.")
        export = reconcile.within(export, first, last)
        ledger = reconcile.ledger(provider, first, last, export.offset)
        self._totals(ledger, export, f"{provider}, {first} to {last}")
        self._differences(reconcile.differences(ledger.used, export), options["tolerance"])

    def _totals(self, ledger: Ledger, export: Export, title: str) -> None:
        self.stdout.write(f"{title}\n{'':10}{'ledger':>18}{'provider':>18}{'apart':>18}")
        for measure in export.measures:
            here = reconcile.total(ledger.used.values(), measure)
            there = reconcile.total(export.used.values(), measure)
            share = f"{(here - there) / there:+.2%}" if there else "-"
            self.stdout.write(f"{measure:10}{_said(here):>18}{_said(there):>18}{share:>18}")
        whole = reconcile.total(ledger.used.values(), "input") + reconcile.total(
            ledger.used.values(), "output"
        )
        cost = reconcile.total(ledger.used.values(), "cost")
        self.stdout.write(
            f"estimated by us: {_share(ledger.estimated_tokens, whole)} of the tokens, "
            f"{_share(ledger.estimated_cost, cost)} of the dollars; the rest is as the provider counted"
        )
        if ledger.unpriced_calls:
            self.stdout.write(f"{ledger.unpriced_calls} calls have no known price and count as $0")

    def _differences(self, found: list[Difference], tolerance: Decimal) -> None:
        beyond = [one for one in found if one.beyond(tolerance)]
        for one in found:
            mark = "!" if one.beyond(tolerance) else " "
            self.stdout.write(
                f"{mark} {one.day} {one.model:32} {one.measure:9}{_said(one.here):>16}{_said(one.there):>16}"
                f"  {_apart(one)}"
            )
        if beyond:
            raise CommandError(f"{len(beyond)} of {len(found)} differences are beyond {plain(tolerance)}%.")
        self.stdout.write(f"Nothing differs by more than {plain(tolerance)}%.")


def _read(path: Path) -> Export:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return usage_export.read(file)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", returncode=2) from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: is not text in UTF-8", returncode=2) from error
    except usage_export.BadExport as error:
        raise CommandError(f"{path}: {error}", returncode=2) from error


def _percent(text: str) -> Decimal:
    if not text.replace(".", "", 1).isdecimal():
        raise ValueError
    return Decimal(text)


def _said(count: Decimal | None) -> str:
    return "-" if count is None else f"{count:,f}".rstrip("0").rstrip(".") if count % 1 else f"{count:,.0f}"


def _share(part: Decimal | int, whole: Decimal) -> str:
    return f"{Decimal(part) / whole:.1%}" if whole else "0%"


def _apart(one: Difference) -> str:
    if one.here is None or one.there is None:
        return "only there" if one.here is None else "only here"
    return "none there" if one.share is None else f"{one.share:+.2%}"
