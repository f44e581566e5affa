"""The admin's page for the audit log, and how what admins change comes into it."""

from typing import Any, ClassVar, cast

from cryptography.fernet import InvalidToken
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts import audit
from accounts.ledger_admin import Ledger
from accounts.models import AuditEntry, Customer, Site, Tier, User


class Audited(ModelAdmin):
    """A page whose changes are recorded, in the transaction that makes them."""

    audited: ClassVar[audit.Action]
    # Attributes whose values are recorded, before and after; of others only that they changed.
    audited_values: ClassVar[tuple[str, ...]] = ()

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        request.audited_before = self._values(obj) if change else {}  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, obj, "added", after=self._values(obj))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if message:
            before, now = getattr(request, "audited_before", {}), self._values(obj)
            changed = {name: value for name, value in before.items() if value != now[name]}
            after = {name: now[name] for name in changed}
            self._record(request, obj, "changed", what=_fields(message), before=changed, after=after)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            self._record(request, obj, "removed", before=self._values(obj))
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, obj: Model, how: str, **detail: Any) -> None:
        told = {name: value for name, value in detail.items() if value}
        audit.record(cast(User, request.user), self.audited, subject_of(obj), how=how, **told)

    def _values(self, obj: Model) -> dict[str, Any]:
        """As they are stored at this moment, whatever the form or a prefetch holds."""
        stored = type(obj)._default_manager.get(pk=obj.pk)
        return {name: _plain(getattr(stored, name)) for name in self.audited_values}


def subject_of(obj: Model) -> str:
    """What the log calls it."""
    match obj:
        case User():
            return f"staff:{obj.pk}"
        case Site():
            return f"site:{obj.key}"
        case Tier():
            return f"tier:{obj.slug}"
        case Customer():
            return f"customer:{obj.pk}"
    return f"{obj._meta.model_name}:{obj.pk}"


def _fields(message: Any) -> Any:
    """Which fields a change touched, from what Django notes of it; other words as they are."""
    if isinstance(message, str):
        return message
    fields = [field for part in message for change in part.values() for field in change.get("fields", [])]
    return list(dict.fromkeys(fields))


def _plain(value: Any) -> Any:
    """A setting as JSON can hold it."""
    if hasattr(value, "all"):
        return sorted(str(one) for one in value.all())
    return value if isinstance(value, str | int | list | dict | None) else str(value)


class AuditEntryAdmin(Ledger):
    """What was done with private data and settings. Nobody writes here, and the database lets nobody."""

    list_display = ["number", "moment", "who", "action", "subject", "reason", "told"]
    list_filter = ["action", "actor_name"]
    search_fields = ["subject", "actor"]
    search_help_text = "A conversation, customer or member of staff, such as customer:0b8c…"
    date_hierarchy = "at"
    ordering = ["-number"]
    list_before_template = "admin/audit_head.html"
    fields = ["number", "moment", "who", "actor", "action", "subject", "reason", "told"]

    def head(self) -> audit.Head:
        """For the page: what to write down outside."""
        return audit.head()

    @display(description="when (UTC)", ordering="at")
    def moment(self, entry: AuditEntry) -> str:
        return f"{entry.at:%Y-%m-%d %H:%M:%S}"

    @display(description="who", ordering="actor_name")
    def who(self, entry: AuditEntry) -> str:
        return entry.actor_name or entry.actor.partition(":")[0]

    @display(description="reason")
    def reason(self, entry: AuditEntry) -> str:
        try:
            return audit.reason(entry) or "-"
        except InvalidToken:
            return "cannot be opened: the entry was changed"

    @display(description="detail")
    def told(self, entry: AuditEntry) -> str:
        return "; ".join(f"{name}: {_short(value)}" for name, value in entry.detail.items()) or "-"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_short(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_short(one) for one in value) or "none"
    return "yes" if value is True else "no" if value is False else str(value)
