"""What each model costs: by the public list, and what the deployment pays for it, now and later."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from accounts import prices
from accounts.models import UsageEntry
from accounts.prices import Overrides, Rates
from bot.models import Model, Price


@dataclass
class ModelPrice:
    """One model of a provider; `own` the price of its own in force, `planned` those to come."""

    provider: int
    provider_name: str
    model: str
    base_url: str = ""
    classes: list[str] = field(default_factory=list)
    enabled: bool = False
    own: Price | None = None
    planned: list[Price] = field(default_factory=list)

    @property
    def listed(self) -> Rates | None:
        """By the public list, in a short prompt; None where it does not have the model."""
        return prices.rates(self.model, 0, base_url=self.base_url)

    @property
    def rates(self) -> Rates | None:
        """What a call is charged by now; None where nobody knows."""
        return prices.rates(self.model, 0, overrides(self.own), self.base_url)

    @property
    def known(self) -> bool:
        """Whether it may answer customers whose money a limit counts."""
        rates = self.rates
        return rates is not None and None not in (rates.input, rates.cached, rates.output)

    @property
    def key(self) -> str:
        return key(self.provider, self.model)


def key(provider: int, model: str) -> str:
    """Names a model of a provider in forms and links."""
    return f"{provider}:{model}"


def overrides(own: Price | None) -> Overrides:
    return Overrides(own.input, own.cached, own.output, own.call) if own else prices.LIST_PRICES


def rates_by(price: Price) -> Rates | None:
    """What calls are charged by while this price holds."""
    return prices.rates(price.model, 0, overrides(price), price.provider.base_url)


def of_models(now: datetime | None = None) -> list[ModelPrice]:
    """Every model there is, those without a known price first."""
    now = now or timezone.now()
    found: dict[tuple[int, str], ModelPrice] = {}
    for model in Model.objects.select_related("provider").order_by("provider__name", "name", "model_class"):
        provider, named = model.provider, (model.provider_id, model.name)
        one = found.setdefault(named, ModelPrice(provider.pk, provider.name, model.name, provider.base_url))
        one.classes.append(model.model_class)
        one.enabled |= model.enabled and model.provider.enabled
    for price in Price.objects.select_related("provider").order_by("starts_at"):
        priced = found.get((price.provider_id, price.model))
        if priced and price.starts_at <= now:
            priced.own = price
        elif priced:
            priced.planned.append(price)
    return sorted(found.values(), key=lambda one: (one.known, not one.enabled))


def of_model(provider: int, name: str) -> ModelPrice | None:
    return next((one for one in of_models() if (one.provider, one.model) == (provider, name)), None)


def was_charged(price: Price) -> bool:
    """Whether an upstream call was charged by it: then it is history, and stays as it is."""
    paid = {"input_price": price.input, "cached_price": price.cached, "output_price": price.output}
    given = {name: value for name, value in paid.items() if value is not None}
    if price.call is not None:
        given["call_price"] = price.call
    charged = UsageEntry.objects.filter(
        provider=price.provider.name, model=price.model, price_source="own", created_at__gte=price.starts_at
    )
    return charged.filter(**given).exists()
