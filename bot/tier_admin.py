"""The admin's page for tiers and what their customers may use."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Model, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.admin import ModelAdmin, StackedInline
from unfold.decorators import display

from accounts import limit_presets, live_usage, spending
from accounts.audit_admin import Audited
from accounts.limit_sentences import sentence
from accounts.live_usage import Heavy
from accounts.models import CLASSES, Customer, Limit, Tier
from bot import estimator_admin, limit_pages
from bot.limit_form import BudgetForm, LimitFormSet
from bot.tier_form import TierForm, TierLimitForm
from bot.what_if_admin import TriedFirst


class LimitMedia:
    """What the pages of limits look like and do."""

    css = {"all": ["settings/limits.css"]}
    js = ("settings/limits.js",)


class LimitInline(StackedInline):
    """What customers of the tier may use."""

    model = Limit
    form = TierLimitForm
    formset = LimitFormSet
    template = "admin/limit_inline.html"
    extra = 0
    verbose_name_plural = "Limits"


@admin.register(Tier)
class TierAdmin(TriedFirst, Audited, ModelAdmin):
    """Levels of service."""

    Media = LimitMedia
    form = TierForm
    audited = "tier_changed"
    audited_values = (
        *("name", "slug", "classes", "pick", "rank"),
        *("question_characters", "prompt_tokens", "answer_tokens", "rounds", "turn_cost"),
    )
    list_display = ["name", "rules", "uses", "rank", "given_by_hand"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [LimitInline]
    warn_unsaved_form = True
    compressed_fields = False
    change_form_outer_after_template = "admin/tier_after.html"
    fieldsets = [
        (None, {"fields": [("name", "slug", "rank")]}),
        ("Models", {"fields": ["classes", "pick"]}),
        ("Ceilings of one turn", {"fields": [
            ("question_characters", "prompt_tokens", "answer_tokens"), ("rounds", "turn_cost"),
        ]}),
    ]  # fmt: skip

    def get_prepopulated_fields(self, request: HttpRequest, obj: Tier | None = None) -> dict[str, list[str]]:
        return {} if obj else self.prepopulated_fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tier]:
        tiers: QuerySet[Tier] = super().get_queryset(request)
        return tiers.prefetch_related("limits").annotate(by_hand=Count("customer"))

    def get_urls(self) -> list[URLPattern]:
        guard = self.admin_site.admin_view
        return [
            path("estimator/", guard(estimator_admin.page), name="estimator"),
            path("limit-sentence/", guard(preview), name="limit-sentence"),
            path("<int:object_id>/heaviest/", guard(heaviest), name="accounts_tier_heaviest"),
            path(
                "<int:object_id>/preset/<slug:key>/",
                guard(require_POST(self.add_preset)),
                name="accounts_tier_preset",
            ),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if tier := kwargs.get("obj"):
            context["presets"] = [(one, one.why_not(tier)) for one in limit_presets.FOR_TIERS]
        return super().render_change_form(request, context, *args, **kwargs)

    def save_related(self, request: HttpRequest, form: ModelForm, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        warnings = {one.warning() for one in formsets[0].forms if one.instance.pk}
        for warning in sorted(warnings - {""}):
            self.message_user(request, warning, messages.WARNING)

    def add_preset(self, request: HttpRequest, object_id: int, key: str) -> HttpResponse:
        """One click; deleted again as any other limit."""
        try:
            preset = limit_presets.named(key)
        except KeyError:
            raise Http404 from None
        with transaction.atomic():
            tier = get_object_or_404(Tier.objects.select_for_update(), pk=object_id)
            if why_not := preset.why_not(tier):
                self.message_user(request, why_not, messages.ERROR)
            else:
                request.audited_before = self._values(tier)  # type: ignore[attr-defined]
                limit = preset.limit(tier)
                limit.save()
                self.log_change(request, tier, f"Added {preset.name}.")
                self.message_user(request, f"Added: {sentence(limit, spending.zone())}", messages.SUCCESS)
        return redirect("admin:accounts_tier_change", object_id)

    def _values(self, obj: Model) -> dict[str, Any]:
        """With each limit as the sentence that an admin saw."""
        zone = spending.zone()
        limits = Limit.objects.filter(tier_id=obj.pk).select_related("tier")
        return super()._values(obj) | {"limits": sorted(sentence(limit, zone) for limit in limits)}

    @display(description="limits")
    def rules(self, tier: Tier) -> SafeString:
        zone = spending.zone()
        said = format_html_join("", "<p>{}</p>", ((sentence(limit, zone),) for limit in tier.limits.all()))
        return format_html('<div class="rule-list">{}</div>', said or "No limit")

    @display(description="classes")
    def uses(self, tier: Tier) -> str:
        return ", ".join(tier.classes)

    @display(description="customers given it by hand", ordering="by_hand")
    def given_by_hand(self, tier: Any) -> int:
        return int(tier.by_hand)


def preview(request: HttpRequest) -> JsonResponse:
    """What a limit that is being edited would mean, or the first thing that is wrong with it."""
    asked = request.GET
    classes = [one for one in asked.getlist("classes") if one in CLASSES]
    of_tier = asked.get("scope") in (Limit.Scope.CUSTOMER, Limit.Scope.TIER)
    tier = Tier(classes=classes or list(CLASSES)) if of_tier else None
    limit = Limit(tier=tier)
    form = TierLimitForm(asked, instance=limit) if tier else BudgetForm(asked, instance=limit, saved=False)
    wrong = next((str(errors[0]) for errors in form.errors.values()), "")
    said = "" if wrong else sentence(form.instance, spending.zone())
    return JsonResponse({"sentence": said, "wrong": wrong, "warning": "" if wrong else form.warning()})


def heaviest(request: HttpRequest, object_id: int) -> HttpResponse:
    """Who uses a tier most this month, for its page."""
    tier = get_object_or_404(Tier, pk=object_id)
    by_messages, by_cost = live_usage.top(tier)
    known = Customer.objects.in_bulk({one.customer for one in [*by_messages, *by_cost]})
    tables = {"by_messages": _told(by_messages, known), "by_cost": _told(by_cost, known)}
    return render(request, "admin/tier_heaviest.html", tables)


def _told(rows: list[Heavy], known: dict[UUID, Customer]) -> list[dict[str, object]]:
    return [
        {
            "customer": row.customer,
            "known": row.customer in known,
            "label": str(known[row.customer]) if row.customer in known else f"gone, {str(row.customer)[:8]}",
            "messages": row.messages,
            "cost": limit_pages.shortly(Limit.Metric.MONEY, row.cost) + (" and more" if row.unpriced else ""),
        }
        for row in rows
    ]
