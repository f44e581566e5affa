"""The admin's page for limits that many tiers share: of the deployment, of sites, of network addresses."""

from copy import copy
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Case, Model, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts import limit_presets, spending
from accounts.audit_admin import Audited
from accounts.limit_sentences import sentence
from accounts.models import Deployment, Limit
from bot import limit_pages
from bot.limit_form import BudgetForm
from bot.tier_admin import LimitMedia

_WIDE = (Limit.Scope.DEPLOYMENT, Limit.Scope.SITE, Limit.Scope.ADDRESS)


@admin.register(Limit)
class BudgetAdmin(Audited, ModelAdmin):
    """Limits beside those of the tiers."""

    Media = LimitMedia
    form = BudgetForm
    audited = "limit_changed"
    list_display = ["said", "used"]
    list_filter = ["scope", "metric"]
    list_select_related = ["site", "tier"]
    list_before_template = "admin/budgets_before.html"
    change_form_before_template = "admin/budget_before.html"
    warn_unsaved_form = True
    compressed_fields = False
    fieldsets = [
        (None, {"fields": [
            ("scope", "site"), ("amount", "metric", "about"), ("period", "hours", "week_starts"),
            "warn_at", "when_full", ("text_en", "text_zh"),
        ]}),
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Limit]:
        limits: QuerySet[Limit] = super().get_queryset(request)
        widest = Case(*(When(scope=scope, then=Value(place)) for place, scope in enumerate(_WIDE)))
        return limits.filter(scope__in=_WIDE).order_by(widest, "site__name", "pk")

    def get_urls(self) -> list[URLPattern]:
        add = self.admin_site.admin_view(require_POST(self.add_preset))
        return [
            path("preset/<slug:key>/", add, name="accounts_limit_preset"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        facts = {
            "title": "Budgets",
            "opts": self._named(),
            "presets": [(one, one.why_not()) for one in limit_presets.FOR_DEPLOYMENT],
            "per_address": settings.ANONYMOUS_PER_ADDRESS,
            "zone": spending.zone(),
        }
        return super().changelist_view(request, {**facts, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["title"] = "Add a budget"
        if limit := kwargs.get("obj"):
            context["title"] = "Budget"
            context["usage"] = limit_pages.usage(limit, spending.zone())
        context["opts"] = self._named()
        return super().render_change_form(request, context, *args, **kwargs)

    def _named(self) -> Any:
        """Limits that many tiers share are called budgets."""
        named = copy(self.opts)
        named.verbose_name, named.verbose_name_plural = "budget", "budgets"
        return named

    def save_model(self, request: HttpRequest, obj: Limit, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if warning := form.warning():
            self.message_user(request, warning, messages.WARNING)

    def add_preset(self, request: HttpRequest, key: str) -> HttpResponse:
        """One click; deleted again as any other limit."""
        preset = next((one for one in limit_presets.FOR_DEPLOYMENT if one.key == key), None)
        if preset is None:
            raise Http404
        spending.deployment()
        with transaction.atomic():
            Deployment.objects.select_for_update().first()  # two clicks wait for each other
            if why_not := preset.why_not():
                self.message_user(request, why_not, messages.ERROR)
            else:
                limit = preset.limit()
                limit.save()
                self.log_addition(request, limit, f"Added {preset.name}.")
                self.message_user(request, f"Added: {sentence(limit, spending.zone())}", messages.SUCCESS)
                form = BudgetForm(instance=limit)
                if warning := form.warning():
                    self.message_user(request, warning, messages.WARNING)
        return redirect("admin:accounts_limit_changelist")

    def _values(self, obj: Model) -> dict[str, Any]:
        limit = Limit.objects.select_related("site", "tier").get(pk=obj.pk)
        return {"limit": sentence(limit, spending.zone())}

    @display(description="limit", ordering="scope")
    def said(self, limit: Limit) -> str:
        return sentence(limit, spending.zone())

    @display(description="used now")
    def used(self, limit: Limit) -> SafeString:
        return limit_pages.usage(limit, spending.zone())
