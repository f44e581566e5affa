"""`manage.py prepare_demo`: the database of `make run`, brought up to date at every start."""

import secrets
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from bot.knowledge import ingest
from bot.management import starting_models
from demo import budget, deployment
from demo.seed import seed_shop


class Command(BaseCommand):
    help = "Migrate, create what the demo needs and lacks, date the orders from today, index what changed."
    requires_system_checks = []  # the processes started next check everything

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, create, index.

        What an admin may edit (tiers, the site's look, articles, canned replies) is created when missing, and
        never overwritten. What a start decides (addresses, secret, password, provider) becomes this start's.
        """
        began = time.monotonic()
        call_command("migrate", verbosity=0, interactive=False)
        site, new = deployment.create(settings.DEMO_IDENTITY_SECRET or secrets.token_urlsafe(32))
        self._welcome_staff(new)
        starting_models.create()
        budget.price_stand_in()
        if new:
            budget.put_in_force()
        deployment.publish(site)
        seed_shop()
        indexed = ingest.index_site(site.pk)
        seconds = time.monotonic() - began
        self.stdout.write(f"Demo data ready in {seconds:.1f} s, {indexed} texts newly indexed.")

    def _welcome_staff(self, new: bool) -> None:
        password = settings.DEMO_PASSWORD or secrets.token_urlsafe(9)
        deployment.welcome_staff(password, change=bool(settings.DEMO_PASSWORD))
        if new and not settings.DEMO_PASSWORD:
            self.stdout.write(f"Password of {' and '.join(deployment.STAFF)}: {password}")
