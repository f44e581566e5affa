"""`manage.py setup_site`: the tiers and a site, for a deployment that starts empty."""

import secrets
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts import sealing
from accounts.models import Site
from bot.management import starting_models, starting_tiers

DONE = """\
The site {name} is ready. On every page that shall carry the widget, put:

  <script src="{url}/widget.js" data-site="{key}" async></script>

Its identity secret, with which your server signs who the visitor is, is shown only now:

  {secret}

`manage.py createsuperuser` makes the first admin, if there is none yet."""


class Command(BaseCommand):
    help = "Create the tiers, the models of OPENAI_* and a site; print its script tag and identity secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--key", required=True, help="public key of the site, such as shop")
        parser.add_argument("--name", required=True, help="what customers call the site")
        parser.add_argument(
            "--origin",
            required=True,
            action="append",
            help="such as https://shop.example.com; may be repeated",
        )

    def handle(self, *args: Any, key: str, name: str, origin: list[str], **options: Any) -> None:
        secret = secrets.token_urlsafe(32)
        with transaction.atomic():
            self._create(key, name, origin, secret)
            starting_models.create()
        self.stdout.write(DONE.format(name=name, url=settings.PUBLIC_URL, key=key, secret=secret))

    def _create(self, key: str, name: str, origins: list[str], secret: str) -> None:
        tiers = starting_tiers.create()
        site = Site(
            key=key,
            name=name,
            origins=[origin.rstrip("/") for origin in origins],
            sealed_secret=sealing.seal(secret),
            default_tier=tiers["free"],
        )
        try:
            site.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(f"{message.rstrip('.')}." for message in error.messages)) from None
        site.save()
        site.allowed_tiers.set([tiers["plus"], tiers["vip"]])
