"""A site without a prepared answer, an unlimited tier, and one model: every turn asks it."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402

from accounts.models import Site, Tier  # noqa: E402
from bot.models import Model, Provider  # noqa: E402


def main() -> None:
    call_command("migrate", verbosity=0)
    tier = Tier.objects.create(slug="unlimited", name="Unlimited", rank=0)
    site = Site(key="bench", name="Bench", default_tier=tier)
    site.rotate_secret(os.environ["BENCH_SECRET"])
    site.save()
    provider = Provider.objects.create(name="bench", base_url=os.environ["BENCH_MODEL"])
    Model.objects.create(provider=provider, name="gpt-4o-mini", model_class="small")


if __name__ == "__main__":
    main()
