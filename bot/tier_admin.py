"""The admin's page for tiers and what their customers may use."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from accounts.audit_admin import Audited
from accounts.models import Limit, Tier


class LimitForm(forms.ModelForm):
    """A limit that reads as a sentence: at most 10 messages in a day."""

    class Meta:
        model = Limit
        fields = ["amount", "metric", "period"]
        labels = {"amount": "At most", "metric": "Of", "period": "In"}


class LimitInline(TabularInline):
    """What customers of the tier may use."""

    model = Limit
    form = LimitForm
    extra = 0
    hide_title = True
    verbose_name_plural = "Limits (without any, they may use as much as they like)"


@admin.register(Tier)
class TierAdmin(Audited, ModelAdmin):
    """Levels of service."""

    audited = "tier_changed"
    audited_values = ("name", "slug", "classes", "pick", "rank", "limits")
    list_display = ["name", "rules", "rank", "given_by_hand"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [LimitInline]
    fieldsets = [
        (None, {"fields": ["name", "slug"]}),
        ("Service", {"fields": [("classes", "pick", "rank")]}),
    ]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Tier | None = None) -> dict[str, list[str]]:
        return {} if obj else self.prepopulated_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tier]:
        tiers: QuerySet[Tier] = super().get_queryset(request)
        return tiers.prefetch_related("limits").annotate(by_hand=Count("customer"))

    @display(description="limits")
    def rules(self, tier: Tier) -> str:
        said = [
            f"{limit.amount.normalize():f} {limit.get_metric_display()} {limit.get_period_display()}"
            for limit in tier.limits.all()
        ]
        return ", ".join(said) or "No limit"

    @display(description="customers given it by hand", ordering="by_hand")
    def given_by_hand(self, tier: Any) -> int:
        return int(tier.by_hand)
