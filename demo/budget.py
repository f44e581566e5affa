"""What the demo may spend, and what its stand-in would cost if it were real."""

from django.conf import settings

from accounts import limit_presets, prices
from accounts.models import CLASSES, Tier
from bot import unpriced
from bot.models import Model, Price

# Whose list price each class of the stand-in is charged by: cheap ones, so that the budget lasts.
_LIKE = {"small": "gpt-4.1-nano", "large": "gpt-4o-mini", "reasoning": "gpt-4.1-mini"}


def price_stand_in() -> None:
    """Prices for the stand-in's models, where they have none."""
    if not settings.OFFLINE_MODEL:
        return
    for model in Model.objects.filter(provider__name="offline stand-in"):
        like = _LIKE[model.model_class]
        rates = prices.rates(like, 0)
        if rates and not Price.objects.filter(provider=model.provider_id, model=model.name).exists():
            Price.objects.create(
                provider=model.provider,
                model=model.name,
                input=rates.input,
                cached=rates.cached,
                output=rates.output,
                note=f"The stand-in costs nothing; it is charged as {like} would be.",
            )


def put_in_force() -> None:
    """$20 a month, and 150 answers of large models per 3 hours in Plus; what can be counted only."""
    plus = Tier.objects.filter(slug="plus").first()
    three_hours = limit_presets.named("large-three-hours")
    if plus and not three_hours.why_not(plus):
        three_hours.limit(plus).save()
    budget = limit_presets.named("twenty-dollars")
    # A model without a price would not answer any more, and a newcomer's own may be such a one.
    if not budget.why_not() and not unpriced.names(CLASSES):
        budget.limit().save()
