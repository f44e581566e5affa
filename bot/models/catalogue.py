"""Which models there are, where they are asked, and what they cost."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from accounts import prices, sealing
from accounts.models import CLASSES
from accounts.prices import LIST_PRICES


class Provider(models.Model):
    """An OpenAI-compatible endpoint. Compatible servers differ: the flags say what this one takes."""

    name = models.CharField(max_length=60, unique=True)
    base_url = models.URLField(help_text="Such as https://api.openai.com/v1")
    sealed_key = models.BinaryField(default=b"", editable=False)
    enabled = models.BooleanField(default=True)
    usage_in_stream = models.BooleanField(default=True, help_text="Takes stream_options.include_usage.")
    tools = models.BooleanField(default=True, help_text="Takes function tools.")
    system_role = models.BooleanField(default=True, help_text="Takes system messages.")
    max_tokens_name = models.CharField(
        max_length=24,
        choices=[("max_tokens", "max_tokens"), ("max_completion_tokens", "max_completion_tokens")],
        default="max_completion_tokens",
    )
    connect_deadline = models.FloatField(default=3, validators=[MinValueValidator(0.1)])
    max_streams = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Answers under way at once, of all workers together; empty: no ceiling.",
    )

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        return sealing.unseal(self.sealed_key) if self.sealed_key else ""

    @key.setter
    def key(self, value: str) -> None:
        self.sealed_key = sealing.seal(value)


def setting(least: float, most: float) -> "models.FloatField[float | None, float | None]":
    return models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(least), MaxValueValidator(most)],
        help_text=f"{least} to {most}; empty: the model's own.",
    )


class Model(models.Model):
    """One model on a provider. Those of a class are tried in order."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="models")
    name = models.CharField(max_length=100, help_text="As the provider spells it.")
    model_class = models.CharField(max_length=10, choices=[(name, name) for name in CLASSES])
    order = models.PositiveSmallIntegerField(default=0)
    enabled = models.BooleanField(default=True)
    context_tokens = models.PositiveIntegerField(default=16_000, help_text="Budget for the prompt.")
    answer_tokens = models.PositiveIntegerField(default=800, help_text="The longest answer allowed.")
    sampling = models.BooleanField(
        default=True,
        db_default=True,
        help_text="Takes temperature, top_p and penalties; reasoning models mostly do not.",
    )
    temperature = setting(0, 2)
    top_p = setting(0, 1)
    presence_penalty = setting(-2, 2)
    frequency_penalty = setting(-2, 2)
    first_token_deadline = models.FloatField(
        null=True, blank=True, help_text="Seconds; empty: the deployment's."
    )
    silence_deadline = models.FloatField(null=True, blank=True)
    whole_deadline = models.FloatField(null=True, blank=True)

    # What the deployment pays for it now; set by whoever reads prices, too.
    paid = LIST_PRICES

    class Meta:
        ordering = ["model_class", "order", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "name", "model_class"], name="one_row_per_model_and_class"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.provider})"

    @property
    def terms(self) -> prices.Terms:
        """What it is charged by as of now."""
        return prices.terms(self.name, self.paid, self.provider.base_url)


def price(of: str) -> "models.DecimalField[Decimal | None, Decimal | None]":
    return models.DecimalField(
        max_digits=20,
        decimal_places=12,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=f"US dollars for {of}; empty: the public list price.",
    )


class Price(models.Model):
    """What the deployment pays for a model since a day, where that is not the public list price."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="prices")
    model = models.CharField(max_length=100, help_text="As the provider spells it.")
    starts_at = models.DateTimeField(default=timezone.now, help_text="From when on it holds.")
    input = price("a million tokens read")
    cached = price("a million tokens read from the provider's cache")
    output = price("a million tokens written")
    call = price("one call, beside its tokens")
    note = models.CharField(max_length=200, blank=True, help_text="Such as the number of the contract.")

    class Meta:
        ordering = ["provider", "model", "-starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "model", "starts_at"], name="one_price_at_a_time")
        ]

    def __str__(self) -> str:
        return f"{self.model} ({self.provider}) since {self.starts_at:%Y-%m-%d}"
