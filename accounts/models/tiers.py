"""Named levels of service and their rules."""

from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

# From the cheapest to the dearest.
CLASSES = ("small", "large", "reasoning")


def check_classes(value: Any) -> None:
    if not isinstance(value, list) or not value or len(set(value)) != len(value) or set(value) - set(CLASSES):
        raise ValidationError(f"Name each class once: {', '.join(CLASSES)}.")


def check_thresholds(value: Any) -> None:
    whole = isinstance(value, list) and all(isinstance(percent, int) for percent in value)
    if not whole or not all(1 <= percent <= 100 for percent in value):
        raise ValidationError("Write whole percents from 1 to 100.")


def ceiling(help_text: str) -> "models.PositiveIntegerField[int | None, int | None]":
    return models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text=help_text
    )


def smallest() -> list[str]:
    return [CLASSES[0]]


class Tier(models.Model):
    """A named level of service, such as Free, Plus or VIP."""

    class Pick(models.TextChoices):
        CHEAPEST = "cheapest", "the cheapest class that can do the job"
        FIRST = "first", "always the first class that has room"

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    rank = models.PositiveSmallIntegerField(default=0, help_text="Higher is served first.")
    classes = ArrayField(
        models.CharField(max_length=10),
        default=smallest,
        validators=[check_classes],
        help_text="Classes it may use, in the order of preference.",
    )
    pick = models.CharField(max_length=10, choices=Pick.choices, default=Pick.FIRST)
    question_characters = ceiling("Longest message; empty: the deployment's.")
    prompt_tokens = ceiling("Longest prompt; empty: the model's.")
    answer_tokens = ceiling("Longest answer; empty: the model's.")
    rounds = ceiling("How often a model is asked in one turn; empty: the deployment's.")
    turn_cost = models.DecimalField(
        max_digits=20,
        decimal_places=12,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.000001"))],
        help_text="US dollars that one turn may cost; empty: the deployment's.",
    )

    class Meta:
        ordering = ["rank"]

    def __str__(self) -> str:
        return self.name


class Limit(models.Model):
    """One rule: how much of a metric somebody may use in a window. No rule, no limit."""

    class Scope(models.TextChoices):
        CUSTOMER = "customer", "each customer of the tier"
        TIER = "tier", "the tier together"
        ADDRESS = "address", "the anonymous visitors of each network address"
        SITE = "site", "the site together"
        DEPLOYMENT = "deployment", "everybody together"

    # Everybody has a window of their own.
    OF_EACH = (Scope.CUSTOMER, Scope.ADDRESS)

    class Metric(models.TextChoices):
        MESSAGES = "messages", "messages answered by a model"
        INPUT = "input_tokens", "tokens read by models"
        OUTPUT = "output_tokens", "tokens written by models"
        TOTAL = "total_tokens", "tokens in all"
        MONEY = "money", "US dollars"
        ACTIONS = "actions", "tool actions"

    class Period(models.TextChoices):
        MINUTE = "minute", "a minute"
        HOUR = "hour", "an hour"
        FIRST_USE = "first_use", "hours from first use"
        DAY = "day", "a day"
        WEEK = "week", "a week"
        MONTH = "month", "a month"

    class WhenFull(models.TextChoices):
        NEXT = "next", "the next cheaper class answers"
        DEGRADE = "degrade", "degraded: an answer without a model"
        TEXT = "text", "degraded, with a text of your own"

    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.CUSTOMER)
    tier = models.ForeignKey(Tier, null=True, blank=True, on_delete=models.CASCADE, related_name="limits")
    site = models.ForeignKey(
        "accounts.Site", null=True, blank=True, on_delete=models.CASCADE, related_name="limits"
    )
    metric = models.CharField(max_length=20, choices=Metric.choices, default=Metric.MESSAGES)
    model_class = models.CharField(
        max_length=10, blank=True, choices=[(name, name) for name in CLASSES], help_text="Empty: all classes."
    )
    model = models.CharField(
        max_length=100, blank=True, help_text="One model, as its provider spells it; empty: all."
    )
    period = models.CharField(max_length=10, choices=Period.choices, default=Period.DAY)
    hours = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 366)],
        help_text="Of a window that begins with the first use.",
    )
    week_starts = models.PositiveSmallIntegerField(
        default=0,
        choices=list(
            enumerate(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])
        ),
        help_text="First day of a week.",
    )
    amount = models.DecimalField(max_digits=20, decimal_places=6, validators=[MinValueValidator(Decimal(0))])
    when_full = models.CharField(max_length=10, choices=WhenFull.choices, default=WhenFull.DEGRADE)
    words = models.JSONField(
        default=dict, blank=True, help_text='The text of your own: {"en": "…", "zh": "…"}'
    )
    warn_at = models.JSONField(
        default=list,
        blank=True,
        validators=[check_thresholds],
        help_text="Percents at which the admins are told.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("scope", "tier", "site", "metric", "model_class", "model"),
                    *("period", "hours", "week_starts"),
                ],
                name="one_limit_of_a_kind",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(scope__in=["customer", "tier"], tier__isnull=False, site__isnull=True)
                | Q(scope="site", site__isnull=False, tier__isnull=True)
                | Q(scope="address", tier__isnull=True)
                | Q(scope="deployment", tier__isnull=True, site__isnull=True),
                name="a_limit_is_somebodys",
            ),
            models.CheckConstraint(
                condition=Q(period="first_use", hours__isnull=False)
                | (~Q(period="first_use") & Q(hours__isnull=True)),
                name="hours_from_first_use",
            ),
            models.CheckConstraint(condition=Q(model_class="") | Q(model=""), name="a_class_or_one_model"),
        ]

    def __str__(self) -> str:
        said = f"{self.amount.normalize():f} {self.get_metric_display()}, {self.get_period_display()}"
        return f"{self.get_scope_display()}: {said}"


class Deployment(models.Model):
    """What holds for the whole deployment; one row."""

    time_zone = models.CharField(
        max_length=60,
        default="UTC",
        help_text="In which days, weeks and months begin, such as Europe/Berlin.",
    )
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="Since then no model is asked.")
    stopped_by = models.CharField(max_length=100, blank=True)
    stop_reason = models.CharField(max_length=200, blank=True)
    daily_mail = models.BooleanField(default=True, help_text="Tell the admins every morning what was spent.")
    mailed_day = models.DateField(
        null=True, editable=False, help_text="The last day of which they were told what was spent."
    )

    class Meta:
        verbose_name_plural = "deployment"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_deployment")]

    def __str__(self) -> str:
        return "the deployment"
