"""The tiers a new deployment starts with. What an admin made of them stays."""

from decimal import Decimal

from accounts.models import Limit, Tier

# slug: name, rank, model class, messages a day (None: no limit)
TIERS: dict[str, tuple[str, int, str, int | None]] = {
    "free": ("Free", 0, "small", 10),
    "plus": ("Plus", 10, "large", 100),
    "vip": ("VIP", 20, "large", None),
}


def create() -> dict[str, Tier]:
    """Create what is missing; a limit only together with its tier, so that a deleted one stays deleted."""
    tiers = {}
    for slug, (name, rank, model_class, daily) in TIERS.items():
        values = {"name": name, "rank": rank, "model_class": model_class}
        tier, made = Tier.objects.get_or_create(slug=slug, defaults=values)
        if made and daily is not None:
            Limit.objects.create(
                tier=tier, metric=Limit.Metric.MESSAGES, period=Limit.Period.DAY, amount=Decimal(daily)
            )
        tiers[slug] = tier
    return tiers
