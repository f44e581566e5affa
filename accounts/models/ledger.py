"""What was used. Rows name turns, calls, customers and models by plain uuid and text, to outlive erasure."""

import uuid
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q


def amount(**options: Any) -> "models.DecimalField[Decimal | int, Decimal]":
    return models.DecimalField(max_digits=20, decimal_places=12, **options)


class Window(models.Model):
    """A counted period of one limit for one subject. A new period is a new row, never a reset."""

    rule = models.CharField(max_length=60, help_text="Such as limit:7 or anonymous-address.")
    subject = models.CharField(max_length=60, help_text="Such as customer:<uuid> or address:<digest>.")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    held = amount(default=0)
    settled = amount(default=0)
    overrun = amount(default=0, help_text="By how much settled went past what was held.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "subject", "starts_at"], name="one_window_per_period"),
            models.CheckConstraint(condition=Q(held__gte=0), name="held_is_not_negative"),
            models.CheckConstraint(condition=Q(settled__gte=0), name="settled_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.subject} from {self.starts_at:%Y-%m-%d}"


class Hold(models.Model):
    """Quota reserved in one window for one use: a turn's message today, one upstream call's cost later."""

    class State(models.TextChoices):
        HELD = "held"
        SETTLED = "settled"
        RELEASED = "released"
        EXPIRED = "expired"

    use = models.UUIDField(help_text="What the quota is held for: the turn.")
    window = models.ForeignKey(Window, on_delete=models.PROTECT, related_name="holds")
    amount = amount()
    state = models.CharField(max_length=10, choices=State.choices, default=State.HELD)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["use", "window"], name="one_hold_per_use_and_window")]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="held"), name="holds_open_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.amount:f} for {self.use} ({self.state})"


class UsageEntry(models.Model):
    """One upstream call as charged, also when it failed, was stopped or was thrown away."""

    class Confidence(models.TextChoices):
        EXACT = "exact"
        ESTIMATED = "estimated"

    call = models.UUIDField(unique=True, default=uuid.uuid4)
    turn = models.UUIDField(db_index=True)
    attempt = models.PositiveSmallIntegerField(default=1)
    customer = models.UUIDField(db_index=True)
    site = models.CharField(max_length=64)
    tier = models.CharField(max_length=60)
    provider = models.CharField(max_length=60)
    model = models.CharField(max_length=100)
    model_class = models.CharField(max_length=10)
    input_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0, help_text="Part of input.")
    output_tokens = models.PositiveIntegerField(default=0)
    reasoning_tokens = models.PositiveIntegerField(default=0, help_text="Part of output.")
    cost = models.DecimalField(
        max_digits=20,
        decimal_places=12,
        null=True,
        help_text="US dollars; empty when the model has no known price.",
    )
    confidence = models.CharField(max_length=10, choices=Confidence.choices)
    outcome = models.CharField(max_length=20, default="ok", help_text="ok, stopped, or the kind of error.")
    seconds = models.FloatField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "usage entries"
        indexes = [models.Index(fields=["created_at"], name="usage_by_time")]

    def __str__(self) -> str:
        return f"{self.model}: {self.input_tokens} in, {self.output_tokens} out"
