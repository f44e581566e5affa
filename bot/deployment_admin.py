"""The admin's page for what holds for the whole deployment, with the switch that stops all spending."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldBooleanWidget

from accounts import spending
from accounts.audit_admin import Audited
from accounts.models import Deployment, Limit
from bot import limit_pages
from bot.desk import budget, budget_names
from bot.tier_admin import LimitMedia

_PAGE = "admin:accounts_deployment_changelist"
_ON_THE_CLOCK = (Limit.Period.DAY, Limit.Period.WEEK, Limit.Period.MONTH)


def _zones() -> list[tuple[str, str]]:
    """Places and UTC; not the old names that say the same."""
    names = (one for one in available_timezones() if "/" in one and not one.startswith(("Etc/", "SystemV/")))
    return [("UTC", "UTC"), *((one, one.replace("_", " ")) for one in sorted(names))]


class DeploymentForm(forms.ModelForm):
    """Time zone and daily mail."""

    time_zone = forms.ChoiceField(
        choices=_zones,
        widget=UnfoldAdminSelect2Widget,
        label="Time zone",
        help_text="On its clocks the days, weeks and months of limits begin. When it changes, running days, "
        "weeks and months are counted anew from their new beginning: what was used in the old ones does not "
        "count in the new ones. Minutes, hours and windows from the first use go on as they are.",
    )

    counted_anew = forms.BooleanField(
        required=False,
        label="I know that running days, weeks and months are counted anew",
        widget=UnfoldBooleanWidget,
    )

    class Meta:
        model = Deployment
        fields = ["time_zone", "daily_mail"]
        labels = {"daily_mail": "Daily mail"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        used = "; ".join(_used())
        forgotten = f"Begun anew: {used}." if used else "No budget that many share is used now."
        self.fields["counted_anew"].help_text = f"Tick this to change the time zone. {forgotten}"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "time_zone" in self.changed_data and not cleaned.get("counted_anew"):
            self.add_error("counted_anew", "The time zone changes: tick this, too.")
        return cleaned


def _used() -> list[str]:
    """Shared limits whose windows begin on the clock, with what is used of them."""
    return [
        f"{budget_names.name(one.limit)}, {limit_pages.shortly(one.limit.metric, one.used)} used"
        for one in budget.shared(timezone.now())
        if one.limit.period in _ON_THE_CLOCK and one.used
    ]


@admin.register(Deployment)
class DeploymentAdmin(Audited, ModelAdmin):
    """One row, always there."""

    Media = LimitMedia
    form = DeploymentForm
    audited = "deployment_changed"
    audited_values = ("time_zone", "daily_mail")
    change_form_outer_before_template = "admin/stop_switch.html"
    warn_unsaved_form = True
    fieldsets = [(None, {"fields": ["time_zone", "counted_anew", "daily_mail"]})]

    def get_urls(self) -> list[URLPattern]:
        guard = self.admin_site.admin_view
        return [
            path("stop/", guard(require_POST(self.stop)), name="accounts_deployment_stop"),
            path("allow/", guard(require_POST(self.allow)), name="accounts_deployment_allow"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """There is one to choose from: its page, at once."""
        return self.change_view(request, str(spending.deployment().pk), extra_context=extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        facts = {"title": "Deployment", "subtitle": None, "show_save_and_continue": False}
        return super().render_change_form(request, context | facts, *args, **kwargs)

    def stop(self, request: HttpRequest) -> HttpResponse:
        reason = request.POST.get("reason", "").strip()[: spending.LONGEST_REASON]
        if not reason:
            self.message_user(request, "Say why, for the other admins. Nothing was stopped.", messages.ERROR)
        elif not spending.stop(request.user, reason):  # type: ignore[arg-type]
            self.message_user(request, "Somebody else had stopped it already.", messages.WARNING)
        return redirect(_PAGE)

    def allow(self, request: HttpRequest) -> HttpResponse:
        if spending.allow(request.user):  # type: ignore[arg-type]
            self.message_user(request, "Spending is allowed again.", messages.SUCCESS)
        return redirect(_PAGE)
