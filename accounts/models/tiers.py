"""Named levels of service and their rules."""

from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models


class Tier(models.Model):
    """A named level of service, such as Free, Plus or VIP."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    rank = models.PositiveSmallIntegerField(default=0, help_text="Higher is served first.")
    model_class = models.CharField(
        max_length=10,
        choices=[("small", "small"), ("large", "large"), ("reasoning", "reasoning")],
        default="small",
        help_text="The class of models that answers this tier.",
    )

    class Meta:
        ordering = ["rank"]

    def __str__(self) -> str:
        return self.name


class Limit(models.Model):
    """One rule of a tier: how much of a metric each customer may use in a window. No rule, no limit."""

    class Metric(models.TextChoices):
        MESSAGES = "messages", "messages answered by a model"

    class Period(models.TextChoices):
        DAY = "day", "a day (UTC)"

    tier = models.ForeignKey(Tier, on_delete=models.CASCADE, related_name="limits")
    metric = models.CharField(max_length=20, choices=Metric.choices, default=Metric.MESSAGES)
    period = models.CharField(max_length=10, choices=Period.choices, default=Period.DAY)
    amount = models.DecimalField(max_digits=20, decimal_places=0, validators=[MinValueValidator(Decimal(0))])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tier", "metric", "period"], name="one_limit_per_metric_and_period"
            )
        ]

    def __str__(self) -> str:
        return f"{self.tier}: {self.amount:f} {self.get_metric_display()} {self.get_period_display()}"
