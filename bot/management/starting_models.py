"""The provider and models that the environment names. What an admin made of a model stays."""

from django.conf import settings
from django.db import transaction

from bot.models import Model, Provider

# Seconds; the other classes have the deployment's.
PATIENCE = {"reasoning": {"first_token_deadline": 120, "silence_deadline": 60, "whole_deadline": 240}}


@transaction.atomic
def create() -> None:
    """Bring provider `default` (or the offline stand-in's) up to the environment's address and key."""
    if not settings.OPENAI_API_KEY:
        return
    name, other = (
        ("offline stand-in", "default") if settings.OFFLINE_MODEL else ("default", "offline stand-in")
    )
    provider, _ = Provider.objects.get_or_create(name=name, defaults={"base_url": settings.OPENAI_BASE_URL})
    provider.base_url, provider.enabled = settings.OPENAI_BASE_URL, True
    if provider.key != settings.OPENAI_API_KEY:
        provider.key = settings.OPENAI_API_KEY
    provider.save()
    # What answered at another start must not answer now: stand-in and real model say so on the page.
    Provider.objects.filter(name=other).update(enabled=False)
    for model_class, model in settings.OPENAI_MODELS.items():
        Model.objects.get_or_create(
            provider=provider, name=model, model_class=model_class, defaults=PATIENCE.get(model_class, {})
        )
