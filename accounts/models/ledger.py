"""What was used. Rows name turns, calls, customers and models by plain uuid and text, to outlive erasure."""

import uuid
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q

from accounts.models.tiers import CLASSES, Limit


def quantity(**options: Any) -> "models.DecimalField[Decimal | int, Decimal]":
    """Exact to 10⁻¹² of a dollar, and with room for a deployment's tokens of a year."""
    return models.DecimalField(max_digits=28, decimal_places=12, **options)


def dollars(help_text: str) -> "models.DecimalField[Decimal | None, Decimal | None]":
    return models.DecimalField(max_digits=20, decimal_places=12, null=True, help_text=help_text)


class Window(models.Model):
    """A counted period of what limits measure, for one subject. A new period is a new row, never a reset.

    Limits that measure the same share it, so that a changed amount or another tier does not begin anew.
    """

    rule = models.CharField(max_length=160, help_text="What is counted: messages:any:day.")
    subject = models.CharField(max_length=80, help_text="Such as customer:<uuid>, site:<key> or deployment.")
    number = models.BigIntegerField(
        help_text="Which period: when it began, in seconds since 1970; from first use: 1, 2, 3."
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    held = quantity(default=0)
    settled = quantity(default=0)
    overrun = quantity(default=0, help_text="By how much settled went past what was held.")
    usual = quantity(default=0, db_default=0, help_text="What was last held: one more use may take as much.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "subject", "number"], name="one_window_per_period"),
            models.CheckConstraint(condition=Q(held__gte=0), name="held_is_not_negative"),
            models.CheckConstraint(condition=Q(settled__gte=0), name="settled_is_not_negative"),
        ]
        indexes = [
            models.Index(fields=["ends_at"], name="windows_by_end"),
            models.Index(fields=["ends_at"], condition=Q(overrun__gt=0), name="windows_overrun"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.subject} from {self.starts_at:%Y-%m-%d %H:%M}"


class Grant(models.Model):
    """What one customer may use beyond their limits: drawn when a limit of their own is full."""

    class Kind(models.TextChoices):
        CREDIT = "credit", "prepaid credit"
        EXTRA = "extra", "extra allowance"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.UUIDField()
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.EXTRA)
    metric = models.CharField(max_length=20, choices=Limit.Metric.choices, default=Limit.Metric.MESSAGES)
    model_class = models.CharField(
        max_length=10, blank=True, choices=[(name, name) for name in CLASSES], help_text="Empty: all classes."
    )
    amount = quantity()
    held = quantity(default=0)
    settled = quantity(default=0)
    overrun = quantity(default=0)
    expires_at = models.DateTimeField(help_text="What is left then is gone.")
    reason = models.CharField(max_length=200)
    given_by = models.CharField(max_length=100, help_text="Who gave it, by name.")
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["expires_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(held__gte=0), name="grant_held_is_not_negative"),
            models.CheckConstraint(condition=Q(settled__gte=0), name="grant_settled_is_not_negative"),
        ]
        indexes = [
            models.Index(fields=["customer", "expires_at"], name="grants_by_customer"),
            models.Index(fields=["expires_at"], condition=Q(overrun__gt=0), name="grants_overrun"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {str(self.customer)[:8]} until {self.expires_at:%Y-%m-%d}"


class Hold(models.Model):
    """Quota reserved in one window, or in one grant, for one use; a use has one hold in each."""

    class State(models.TextChoices):
        HELD = "held"
        SETTLED = "settled"
        RELEASED = "released"
        EXPIRED = "expired"

    use = models.UUIDField(
        help_text="What it is held for: a turn's message, an upstream call, a tool action."
    )
    turn = models.UUIDField(db_index=True)
    customer = models.UUIDField()
    metric = models.CharField(max_length=20)
    window = models.ForeignKey(Window, null=True, on_delete=models.PROTECT, related_name="holds")
    grant = models.ForeignKey(Grant, null=True, on_delete=models.PROTECT, related_name="holds")
    amount = quantity(help_text="What was reserved.")
    settled = quantity(default=0, help_text="What was used in the end.")
    overrun = quantity(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.HELD)
    late = models.BooleanField(default=False, help_text="Settled when it was not held any more.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["use", "window"], name="one_hold_per_use_and_window"),
            models.UniqueConstraint(fields=["use", "grant"], name="one_hold_per_use_and_grant"),
            models.CheckConstraint(
                condition=Q(window__isnull=False, grant__isnull=True)
                | Q(window__isnull=True, grant__isnull=False),
                name="held_in_a_window_or_a_grant",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="held"), name="holds_open_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.amount:f} {self.metric} for {self.use} ({self.state})"


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
    input_price = dollars("For a million fresh tokens, as it was charged.")
    cached_price = dollars("For a million cached tokens.")
    output_price = dollars("For a million produced tokens.")
    call_price = dollars("For the call itself.")
    price_source = models.CharField(max_length=10, blank=True, help_text="list, own, or empty: unknown.")
    confidence = models.CharField(max_length=10, choices=Confidence.choices)
    outcome = models.CharField(max_length=20, default="ok", help_text="ok, stopped, or the kind of error.")
    seconds = models.FloatField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "usage entries"
        indexes = [
            models.Index(fields=["created_at"], name="usage_by_time"),
            models.Index(fields=["turn"], condition=Q(outcome="open"), name="usage_still_open"),
        ]

    def __str__(self) -> str:
        return f"{self.model}: {self.input_tokens} in, {self.output_tokens} out"
