"""`manage.py mail_costs`: the mail about a day's costs, now; or what it says."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.loader import render_to_string
from django.utils import timezone

from accounts.days import day
from bot.desk import admin_mail, cost_mail, cost_view, costs


class Command(BaseCommand):
    help = "Send the mail about what a day has cost, or print it. The daily one is sent all the same."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--day", type=day, help="such as 2026-11-21; default: yesterday")
        parser.add_argument("--to", nargs="+", help="addresses; default: all admins")
        parser.add_argument("--print", choices=["text", "html"], nargs="?", const="text", help="send nothing")

    def handle(self, *args: Any, to: list[str] | None, **options: Any) -> None:
        asked: date | None = options["day"]
        told = costs.of(asked or costs.yesterday(timezone.now()))
        if options["print"]:
            kind = "txt" if options["print"] == "text" else "html"
            self.stdout.write(render_to_string(f"emails/costs.{kind}", cost_view.facts(told)))
            return
        to = to or admin_mail.admins()
        try:
            if not cost_mail.send(told, to):
                raise CommandError("There is no admin to send it to: name somebody with --to.")
        except OSError as error:
            raise CommandError(f"The mail server does not take it: {error}") from None
        self.stdout.write(f"{cost_view.title(told)}: sent to {', '.join(to)}")
