"""The tiers a new deployment starts with. What an admin made of them stays."""

from decimal import Decimal

from django.conf import settings

from accounts import limit_presets
from accounts.models import CLASSES, Limit, Tier

# slug: name, rank, classes in the order of preference
TIERS: dict[str, tuple[str, int, list[str]]] = {
    "free": ("Free", 0, ["small"]),
    "plus": ("Plus", 10, ["large", "small"]),
    "vip": ("VIP", 20, ["large", "small"]),
}


def create() -> dict[str, Tier]:
    """Create what is missing; a limit only together with its tier, so that a deleted one stays deleted."""
    tiers = {}
    for slug, (name, rank, wanted) in TIERS.items():
        values = {"name": name, "rank": rank, "classes": _there_are(wanted)}
        tier, made = Tier.objects.get_or_create(slug=slug, defaults=values)
        if made and (limit := _limit(tier)):
            limit.save()
        tiers[slug] = tier
    return tiers


def _there_are(wanted: list[str]) -> list[str]:
    """Those of the classes that the deployment names a model of; the cheapest it has where it has none."""
    named = [name for name in CLASSES if name in settings.OPENAI_MODELS]
    return [name for name in wanted if name in named] or named[:1] or wanted


def _limit(tier: Tier) -> Limit | None:
    """Free 10 a day; Plus 100 on large, then small; VIP as much as they like."""
    match tier.slug:
        case "free":
            return limit_presets.named("ten-a-day").limit(tier)
        case "plus" if "large" in tier.classes:
            return limit_presets.named("large-day").limit(tier)
        case "plus":
            return Limit(tier=tier, amount=Decimal(100))
    return None
