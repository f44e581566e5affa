"""A site without a prepared answer, one tier, and models: every turn asks them."""

import argparse
import os
from decimal import Decimal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402

from accounts.models import Limit, Site, Tier  # noqa: E402
from bot.models import Model, Provider  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", help="its key")
    parser.add_argument("providers", nargs="+", help="base addresses, best first; they are called model-1 …")
    parser.add_argument("--messages", type=int, help="a day for each customer; no limit unless given")
    given = parser.parse_args()
    call_command("migrate", verbosity=0)
    tier = Tier.objects.create(slug="all", name="All", rank=0)
    if given.messages is not None:
        Limit.objects.create(tier=tier, amount=Decimal(given.messages))
    site = Site(key=given.site, name="Tests", default_tier=tier)
    site.rotate_secret(os.environ["SEED_SECRET"])
    site.save()
    for number, address in enumerate(given.providers, start=1):
        provider = Provider.objects.create(name=f"model-{number}", base_url=address)
        Model.objects.create(provider=provider, name="gpt-4o-mini", model_class="small", order=number)


if __name__ == "__main__":
    main()
