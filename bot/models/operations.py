"""What the deployment's admins have to know."""

from django.db import models
from django.db.models import Q, Value


class Alert(models.Model):
    """One rule that was crossed; over when it is back within its bound for good."""

    rule = models.CharField(max_length=40)
    subject = models.CharField(max_length=160, blank=True, help_text="Such as a provider and its model.")
    value = models.FloatField(help_text="When it was crossed.")
    bound = models.FloatField()
    crossed_at = models.DateTimeField(auto_now_add=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When the admins were sent an e-mail.")
    over_at = models.DateTimeField(null=True, blank=True)
    facts = models.JSONField(
        default=dict,
        db_default=Value({}, models.JSONField()),
        help_text="What its words name beside the value, as it was then.",
    )
    once = models.BooleanField(
        default=False, db_default=False, help_text="Its subject is never crossed again: it names the window."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject"], condition=Q(over_at__isnull=True), name="one_open_alert"
            ),
            models.UniqueConstraint(
                fields=["rule", "subject"], condition=Q(once=True), name="one_alert_for_good"
            ),
        ]
        indexes = [models.Index(fields=["-crossed_at"], name="alerts_by_time")]

    def __str__(self) -> str:
        return f"{self.rule} {self.subject}".strip()


class RetentionRun(models.Model):
    """Proof that what was too old has been deleted: one row for each site and night."""

    site = models.CharField(max_length=64, help_text="Its key.")
    day = models.DateField()
    text_before = models.DateTimeField(
        null=True, help_text="Conversations at rest since before then; empty: kept."
    )
    calls_before = models.DateTimeField(null=True)
    conversations = models.PositiveIntegerField(default=0)
    messages = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, help_text="Empty: it was begun and not finished.")

    class Meta:
        ordering = ["-day", "site"]
        constraints = [models.UniqueConstraint(fields=["site", "day"], name="one_run_per_site_and_day")]

    def __str__(self) -> str:
        return f"{self.site} {self.day}"
