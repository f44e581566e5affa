"""What answers in each class of models now, and what it costs."""

from dataclasses import dataclass

from accounts import prices
from accounts.models import CLASSES
from accounts.prices import Overrides, Rates
from accounts.whatif import Offer
from bot import price_list
from bot.models import Model


@dataclass(frozen=True)
class Offered:
    """A model that may be asked, and what the deployment pays for it itself."""

    model_class: str
    model: str
    provider: str
    paid: Overrides = prices.LIST_PRICES
    base_url: str = ""

    def rates(self, input_tokens: int = 0) -> Rates | None:
        """What a call with such a prompt is charged by; None when nobody knows."""
        found = prices.rates(self.model, input_tokens, self.paid, self.base_url)
        return found if found and None not in (found.input, found.cached, found.output) else None


def by_class() -> dict[str, list[Offered]]:
    """The enabled models of each class, that which is asked first in front; from the cheapest class up."""
    own = {(one.provider, one.model): price_list.overrides(one.own) for one in price_list.of_models()}
    found: dict[str, list[Offered]] = {name: [] for name in CLASSES}
    enabled = Model.objects.filter(enabled=True, provider__enabled=True).select_related("provider")
    for row in enabled.order_by("order", "id"):
        paid = own[row.provider_id, row.name]
        provider = row.provider
        offered = Offered(row.model_class, row.name, provider.name, paid, provider.base_url)
        found[row.model_class].append(offered)
    return {name: models for name, models in found.items() if models}


def for_replays() -> dict[str, Offer]:
    """The first model of each class, with its price of short prompts."""
    return {name: Offer(models[0].model, models[0].rates()) for name, models in by_class().items()}
