"""Who somebody is: the site, its customers, the staff."""

import re
import uuid
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts import sealing
from accounts.models.tiers import Tier

LOCALES = [("en", "English"), ("zh", "简体中文")]
# A code of its own: for "invalid" a JSON field would put its own sentence in the place of this one.
ORIGIN = RegexValidator(
    r"^https?://[a-z0-9.-]+(:\d+)?$", "Write an origin such as https://shop.example.com", code="origin"
)

# An id that may be shown as it is: no address, no digits enough for a phone's or a person's number however
# they are grouped, no first and last name.
_OPAQUE = re.compile(r"(?!(?:\D*\d){7})(?![A-Za-z]+(?:[._-][A-Za-z]+)+\d*\Z)[A-Za-z0-9_.:-]{1,64}")
# Or one that a machine drew: letters and digits in turn, as in a hash.
_DRAWN = re.compile(
    r"(?=.*[a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=(?:.*?[A-Za-z]\d){3})[0-9A-Za-z]{20,64}"
)


def check_origins(value: Any) -> None:
    if not isinstance(value, list):
        raise ValidationError('Origins are a list such as ["https://shop.example.com"].')
    for origin in value:
        ORIGIN(origin)


class Site(models.Model):
    """One website that carries the widget."""

    key = models.SlugField(unique=True, max_length=64, help_text="Public key: data-site in the script tag.")
    name = models.CharField(max_length=100)
    origins = models.JSONField(
        default=list,
        blank=True,
        validators=[check_origins],
        help_text='Pages that may carry the widget, such as ["https://shop.example.com"].',
    )
    sealed_secret = models.BinaryField(default=b"", editable=False)
    sealed_previous_secret = models.BinaryField(default=b"", editable=False)
    assistant = models.CharField("assistant's name", max_length=60, default="Assistant")
    colour = models.CharField(
        max_length=7, default="#1f6f5c", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", "Write #rrggbb.")]
    )
    greeting = models.JSONField(default=dict, blank=True, help_text='{"en": "Hello!", "zh": "您好！"}')
    suggestions = models.JSONField(default=dict, blank=True, help_text='{"en": ["…"], "zh": ["…"]}')
    privacy_url = models.URLField(blank=True)
    default_tier = models.ForeignKey(Tier, on_delete=models.PROTECT, related_name="default_of_sites")
    allowed_tiers = models.ManyToManyField(
        Tier, blank=True, related_name="allowed_on_sites", help_text="Tiers that an identity token may name."
    )
    masking = models.JSONField(
        default=dict, blank=True, help_text='Where it differs from the defaults: {"IP": "keep"}.'
    )
    id_patterns = models.JSONField(
        default=list, blank=True, help_text="Regular expressions of the site's own numbers; never masked."
    )
    phone_regions = models.JSONField(default=list, blank=True, help_text='Such as ["US", "GB", "CN"].')
    text_days = models.PositiveSmallIntegerField(
        default=365,
        null=True,
        blank=True,
        help_text="Days after which what was said is deleted; empty: never.",
    )
    call_days = models.PositiveSmallIntegerField(
        default=90, null=True, blank=True, help_text="Days after which records of tool calls are deleted."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    @property
    def secrets(self) -> list[str]:
        """Identity secrets in force: the current one, and the previous one while it is being rotated."""
        return [sealing.unseal(s) for s in (self.sealed_secret, self.sealed_previous_secret) if s]

    def rotate_secret(self, secret: str) -> None:
        self.sealed_previous_secret, self.sealed_secret = self.sealed_secret, sealing.seal(secret)

    def words(self, field: dict[str, Any], locale: str) -> Any:
        return field.get(locale) or field.get("en") or ""


class StaffManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str, *, name: str = "", role: str = "agent") -> "User":
        user = self.model(email=self.normalize_email(email).lower(), name=name, role=role)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **fields: Any) -> "User":
        return self.create_user(email, password, name=fields.get("name", ""), role="admin")

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A member of staff: an agent answers in the desk, an admin also configures."""

    class Role(models.TextChoices):
        AGENT = "agent"
        ADMIN = "admin"

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100, help_text="Shown to customers when this person answers.")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.AGENT)
    is_active = models.BooleanField(default=True)
    may_reveal = models.BooleanField(
        "may reveal private values",
        default=False,
        help_text="One value or message at a time; also take a customer's copy, and erase a customer. "
        "Each with a reason, which the audit log keeps.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StaffManager()
    USERNAME_FIELD = "email"

    class Meta:
        verbose_name = "staff member"

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return str(self)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.is_superuser = self.role == self.Role.ADMIN
        super().save(*args, **kwargs)

    @property
    def is_staff(self) -> bool:
        """Django's word for: may open the admin."""
        return self.role == self.Role.ADMIN


class Customer(models.Model):
    """Who chats on one site. What is known of them is sealed; anonymous until the site's token says who."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="customers")
    sealed_sub = models.BinaryField(default=b"", editable=False)
    sub_digest = models.CharField(
        max_length=32, blank=True, editable=False, help_text="Of the token's `sub`; empty while anonymous."
    )
    sealed_name = models.BinaryField(default=b"", editable=False)
    sealed_email = models.BinaryField(default=b"", editable=False)
    sealed_contact = models.BinaryField(default=b"", editable=False)
    tier = models.ForeignKey(
        Tier, null=True, blank=True, on_delete=models.SET_NULL, help_text="Overrides the site's default tier."
    )
    tier_until = models.DateTimeField(
        "until", null=True, blank=True, help_text="When the tier given by hand ends; empty: never."
    )
    token_tier = models.ForeignKey(
        Tier, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    locale = models.CharField(max_length=5, choices=LOCALES, default="en")
    address = models.CharField(max_length=32, blank=True, editable=False, help_text="Keyed digest.")
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(auto_now=True)
    erased_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="What was known was deleted; the row keeps the count of what is used.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "sub_digest"], condition=~Q(sub_digest=""), name="one_customer_per_sub"
            )
        ]

    def __str__(self) -> str:
        return self.label or f"visitor {str(self.id)[:8]}"

    @property
    def verified(self) -> bool:
        return bool(self.sub_digest)

    @property
    def external_id(self) -> str:
        """`sub` of the identity token: the site's own id of a verified customer."""
        return sealing.unseal(self.sealed_sub) if self.sealed_sub else ""

    @property
    def label(self) -> str:
        """The site's own id where it says nothing private; else a short number; empty while anonymous."""
        sub = self.external_id
        return sub if _OPAQUE.fullmatch(sub) or _DRAWN.fullmatch(sub) else self.sub_digest[:8]

    @property
    def name(self) -> str:
        return sealing.unseal(self.sealed_name) if self.sealed_name else ""

    @property
    def email(self) -> str:
        return sealing.unseal(self.sealed_email) if self.sealed_email else ""

    @property
    def contact(self) -> str:
        """Where the customer wants a later answer sent."""
        return sealing.unseal(self.sealed_contact) if self.sealed_contact else ""

    @property
    def effective_tier(self) -> Tier:
        return self.given_tier or self.token_tier or self.site.default_tier

    @property
    def given_tier(self) -> Tier | None:
        """The tier given by hand, while it lasts."""
        over = self.tier_until is not None and self.tier_until <= timezone.now()
        return None if over else self.tier
