"""The tiers a new deployment starts with. What an admin made of them stays."""

from decimal import Decimal

from accounts.models import Limit, Tier

# slug: name, rank, classes in the order of preference, messages a day (None: no limit)
TIERS: dict[str, tuple[str, int, list[str], int | None]] = {
    "free": ("Free", 0, ["small"], 10),
    "plus": ("Plus", 10, ["large", "small"], 100),
    "vip": ("VIP", 20, ["large", "small"], None),
}


def create() -> dict[str, Tier]:
    """Create what is missing; a limit only together with its tier, so that a deleted one stays deleted."""
    tiers = {}
    for slug, (name, rank, classes, daily) in TIERS.items():
        values = {"name": name, "rank": rank, "classes": classes}
        tier, made = Tier.objects.get_or_create(slug=slug, defaults=values)
        if made and daily is not None:
            Limit.objects.create(
                tier=tier, metric=Limit.Metric.MESSAGES, period=Limit.Period.DAY, amount=Decimal(daily)
            )
        tiers[slug] = tier
    return tiers
