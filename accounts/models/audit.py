"""Who did what with private data and settings, when and why: written once, never changed."""

from django.db import models


class AuditEntry(models.Model):
    """One deed. The digest covers the entry and the digest before it, so that nothing can be taken out.

    It names staff, customers and conversations by text, to outlive them; the database refuses any change.
    """

    number = models.BigIntegerField(primary_key=True, help_text="1, 2, 3 … without gaps.")
    at = models.DateTimeField()
    actor = models.CharField(max_length=80, help_text="staff:<id>, customer:<uuid> or system.")
    actor_name = models.CharField(max_length=100, blank=True)
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=120, help_text="Such as conversation:<uuid>.")
    sealed_reason = models.BinaryField(default=b"", editable=False)
    detail = models.JSONField(default=dict, blank=True, help_text="Nothing private: kinds, counts, settings.")
    digest = models.BinaryField(editable=False)

    class Meta:
        verbose_name_plural = "audit log"
        ordering = ["-number"]
        indexes = [models.Index(fields=["subject", "-number"], name="audit_by_subject")]

    def __str__(self) -> str:
        return f"{self.number} {self.action} {self.subject}"
