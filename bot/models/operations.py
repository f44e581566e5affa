"""What the deployment's admins have to know."""

from django.db import models
from django.db.models import Q


class Alert(models.Model):
    """One rule that was crossed; over when it is back within its bound for good."""

    rule = models.CharField(max_length=40)
    subject = models.CharField(max_length=160, blank=True, help_text="Such as a provider and its model.")
    value = models.FloatField(help_text="When it was crossed.")
    bound = models.FloatField()
    crossed_at = models.DateTimeField(auto_now_add=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When the admins were sent an e-mail.")
    over_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject"], condition=Q(over_at__isnull=True), name="one_open_alert"
            ),
        ]
        indexes = [models.Index(fields=["-crossed_at"], name="alerts_by_time")]

    def __str__(self) -> str:
        return f"{self.rule} {self.subject}".strip()
