"""Models that may be asked and whose price nobody knows."""

from collections.abc import Iterable

from django.utils import timezone

from accounts import prices
from bot.models import Model, Price


def names(classes: Iterable[str]) -> list[str]:
    """Models of these classes that customers are not answered by while a limit on money binds them."""
    models = Model.objects.filter(enabled=True, provider__enabled=True, model_class__in=classes)
    return sorted(
        {name for provider, name in models.values_list("provider_id", "name") if not _known(provider, name)}
    )


def _known(provider: int, name: str) -> bool:
    own = Price.objects.filter(provider=provider, model=name, starts_at__lte=timezone.now())
    row = own.order_by("-starts_at").values_list("input", "cached", "output", "call").first()
    rates = prices.rates(name, 0, prices.Overrides(*row) if row else prices.LIST_PRICES)
    return rates is not None and rates.input is not None and rates.output is not None
