"""The admin's pages for staff and sites; beside them the audit log."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm

from accounts import privacy_form
from accounts.audit_admin import Audited, AuditEntryAdmin
from accounts.forms import NewStaffForm, StaffForm
from accounts.models import AuditEntry, Site, User
from accounts.privacy_form import WholeSiteForm

admin.site.unregister(Group)  # roles are agent and admin, nothing finer


@admin.register(User)
class StaffAdmin(Audited, UserAdmin, ModelAdmin):
    """Agents and admins. The role decides: only admins come in here."""

    form = StaffForm
    add_form = NewStaffForm
    change_password_form = AdminPasswordChangeForm
    audited = "staff_changed"
    audited_values = ("email", "name", "role", "may_reveal", "is_active")
    list_display = ["email", "name", "role_label", "may_reveal", "is_active", "last_login"]
    list_filter = ["role", "may_reveal", "is_active"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    filter_horizontal = ()
    readonly_fields = ["last_login"]
    fieldsets = [
        (None, {"fields": ["email", "name", "role", "may_reveal", "is_active", "password", "last_login"]})
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "role", "may_reveal", "password1", "password2"]})]

    @display(description="role", ordering="role", label={"Admin": "info"})
    def role_label(self, user: User) -> str:
        return user.get_role_display()

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        form: type[ModelForm] = super().get_form(request, obj, change=change, **kwargs)
        form.editor = request.user  # type: ignore[attr-defined]
        return form

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return obj != request.user and bool(super().has_delete_permission(request, obj))


@admin.register(Site)
class SiteAdmin(Audited, ModelAdmin):
    """Websites that carry the widget."""

    audited = "site_changed"
    audited_values = (
        *("key", "origins", "privacy_url", "default_tier", "allowed_tiers"),
        *("masking", "id_patterns", "phone_regions", "text_days", "call_days"),
    )
    form = WholeSiteForm
    list_display = ["name", "key", "default_tier", "signs_visitors"]
    search_fields = ["name", "key"]
    autocomplete_fields = ["allowed_tiers"]
    readonly_fields = ["script_tag", "signs_visitors"]
    prepopulated_fields = {"key": ["name"]}
    actions_detail = ["identity_secret"]
    warn_unsaved_form = True
    fieldsets = [
        (None, {"fields": ["name", "key", "origins", "script_tag"]}),
        ("Look and words", {"fields": [
            ("assistant", "colour"), "privacy_url",
            ("greeting_en", "greeting_zh"), ("suggestions_en", "suggestions_zh"),
        ]}),
        ("Service level", {"fields": [("default_tier", "allowed_tiers"), "signs_visitors"]}),
        ("Private values", {"fields": privacy_form.ROWS, "description": privacy_form.EXPLAINED}),
    ]  # fmt: skip

    def get_prepopulated_fields(self, request: HttpRequest, obj: Site | None = None) -> dict[str, list[str]]:
        return {} if obj else self.prepopulated_fields

    @display(description="Paste this into the pages")
    def script_tag(self, site: Site) -> str | SafeString:
        if not site.pk:
            return "Save the site first."
        tag = f'<script src="{settings.PUBLIC_URL}/widget.js" data-site="{site.key}" async></script>'
        return format_html('<code class="break-words font-mono">{}</code>', tag)

    @display(description="Signs who its visitors are", boolean=True)
    def signs_visitors(self, site: Site) -> bool:
        return bool(site.sealed_secret)

    @action(
        description="New identity secret",
        url_path="secret",
        icon="key",
        permissions=["change"],
    )
    def identity_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask first; then make the secret and show it, this once."""
        site = get_object_or_404(Site, pk=object_id)
        secret = ""
        if request.method == "POST":
            secret = secrets.token_urlsafe(32)
            with transaction.atomic():
                site.rotate_secret(secret)
                site.save(update_fields=["sealed_secret", "sealed_previous_secret"])
                self.log_change(request, site, "Made a new identity secret.")
        context = {
            **self.admin_site.each_context(request),
            "title": "Identity secret",
            "opts": self.opts,
            "site": site,
            "secret": secret,
        }
        return TemplateResponse(request, "admin/identity_secret.html", context)


admin.site.register(AuditEntry, AuditEntryAdmin)
