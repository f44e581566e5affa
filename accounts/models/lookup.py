"""How staff find a customer by something private that they know exactly."""

from django.db import models

from accounts.models.people import Customer


class Lookup(models.Model):
    """The keyed digest of an address or number of a customer: to be found by, not to be read."""

    class Kind(models.TextChoices):
        EMAIL = "email", "e-mail address"
        PHONE = "phone", "phone number"
        ORDER = "order", "order number"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="lookups")
    conversation = models.UUIDField(null=True, help_text="Where it was said; empty: the site told us.")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    digest = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "conversation", "kind", "digest"],
                nulls_distinct=False,
                name="one_lookup_per_value",
            )
        ]
        indexes = [
            models.Index(fields=["kind", "digest"], name="lookups_by_digest"),
            models.Index(fields=["conversation"], name="lookups_by_conversation"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.customer_id}"
