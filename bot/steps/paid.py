"""What the deployment pays for models by prices of its own that begin while a turn is under way."""

from collections.abc import Iterable

from django.utils import timezone

from accounts.prices import LIST_PRICES, Overrides
from bot.models import Model, Price


def refresh(models: Iterable[Model]) -> None:
    """Let the next calls be charged by what is in force now."""
    models = [*models]
    begun = Price.objects.filter(model__in={model.name for model in models}, starts_at__lte=timezone.now())
    rows = begun.order_by("starts_at").values_list("provider", "model", "input", "cached", "output", "call")
    in_force = {(provider, name): Overrides(*prices) for provider, name, *prices in rows}
    for model in models:
        model.paid = in_force.get((model.provider_id, model.name), LIST_PRICES)
