"""The admin's page of one customer: their tier, what they have used, what they were given."""

from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts import grants, identity, statement
from accounts.audit_admin import Audited
from accounts.grants import BadGrant
from accounts.models import Customer, Grant, User
from bot import customer_usage
from bot.desk import extras
from bot.grant_admin import rows
from bot.grant_form import CustomerForm, GrantForm, WithdrawForm, first_end

SHOWN = 20


@admin.register(Customer)
class CustomerAdmin(Audited, ModelAdmin):
    """Who chats. Names and addresses stay sealed: nobody needs them to choose a tier."""

    form = CustomerForm
    audited = "customer_changed"
    audited_values = ("tier", "tier_until")
    list_display = ["who", "site", "is_verified", "tier_in_force", "seen_at"]
    list_filter = ["site", "tier", "locale"]
    list_select_related = ["site__default_tier", "tier", "token_tier"]
    search_fields = ["id"]
    search_help_text = (
        "The customer's whole id on the site, or here. The desk also finds by e-mail and phone."
    )
    ordering = ["-seen_at"]
    show_full_result_count = False
    readonly_fields = [
        *("who", "site", "id", "is_verified", "locale", "created_at", "seen_at"),
        *("tier_in_force", "limits_used", "given"),
    ]
    fieldsets = [
        (None, {"fields": [("who", "site"), ("is_verified", "locale"), ("created_at", "seen_at"), "id"]}),
        ("Allowance", {"fields": ["limits_used"]}),
        ("Grants", {"fields": ["given"]}),
        ("Tier by hand", {"fields": ["tier_in_force", ("tier", "tier_until"), "reason"]}),
    ]

    class Media:
        css = {"all": ["settings/limits.css", "settings/grants.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        found, double = super().get_search_results(request, queryset, search_term)
        return found | queryset.filter(sub_digest=identity.sub_digest(search_term.strip())), double

    def get_urls(self) -> list[URLPattern]:
        guard = self.admin_site.admin_view
        return [
            path("<uuid:customer>/give/<slug:kind>/", guard(self.give), name="accounts_customer_give"),
            path("grants/<uuid:grant>/withdraw/", guard(self.withdraw), name="accounts_customer_withdraw"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: Customer, form: ModelForm, change: bool) -> None:
        request.said_why = form.cleaned_data.get("reason", "")  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)
        transaction.on_commit(lambda: extras.tell(obj))

    def _record(self, request: HttpRequest, obj: Model, how: str, **detail: Any) -> None:
        super()._record(request, obj, how, **detail, reason=getattr(request, "said_why", ""))

    def give(self, request: HttpRequest, customer: UUID, kind: str) -> HttpResponse:
        """Ask how much of what, until when and why; then give it."""
        if kind not in Grant.Kind.values:
            raise Http404
        known = Customer.objects.select_related("site__default_tier", "tier", "token_tier")
        one = get_object_or_404(known, pk=customer)
        form = GrantForm(kind, request.POST or None, ends=first_end(one, kind))
        if request.method == "POST" and form.is_valid():
            grants.give(one, form.gift, form.cleaned_data["reason"], cast(User, request.user))
            extras.tell(one)
            self.message_user(request, f"Given to {one}.", messages.SUCCESS)
            return redirect("admin:accounts_customer_change", one.pk)
        title = f"Give {Grant.Kind(kind).label}"
        return self._ask(request, one, form, title, "Give", extra=kind == Grant.Kind.EXTRA)

    def withdraw(self, request: HttpRequest, grant: UUID) -> HttpResponse:
        """Ask why; then give no more of it."""
        one = get_object_or_404(Grant, pk=grant)
        customer = get_object_or_404(Customer, pk=one.customer)
        form = WithdrawForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                grants.withdraw(one.pk, cast(User, request.user), form.cleaned_data["reason"])
            except BadGrant as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                extras.tell(customer)
                self.message_user(request, f"Withdrawn from {customer}.", messages.SUCCESS)
            return redirect("admin:accounts_customer_change", customer.pk)
        [row] = rows([one])
        return self._ask(request, customer, form, "Withdraw a grant", "Withdraw", grant=row)

    def _ask(
        self, request: HttpRequest, customer: Customer, form: Any, title: str, verb: str, **facts: Any
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **facts,
            "title": title,
            "opts": self.opts,
            "customer": customer,
            "form": form,
            "verb": verb,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/grant.html", context)

    @display(description="customer")
    def who(self, customer: Customer) -> str:
        return str(customer)

    @display(description="signed in", boolean=True)
    def is_verified(self, customer: Customer) -> bool:
        return customer.verified

    @display(description="tier in force")
    def tier_in_force(self, customer: Customer) -> str:
        if given := customer.given_tier:
            ends = f" until {customer.tier_until:%Y-%m-%d %H:%M} UTC" if customer.tier_until else ""
            return f"{given}, given by hand{ends}"
        over = f" ({customer.tier} by hand is over)" if customer.tier else ""
        if customer.token_tier:
            return f"{customer.token_tier}, named by the site{over}"
        return f"{customer.site.default_tier}, as everybody{over}"

    @display(description="limits")
    def limits_used(self, customer: Customer) -> SafeString:
        """As the customer reads it, and each limit that binds them as admins do."""
        said = statement.of(customer, "en")
        facts = {"limits": customer_usage.of(customer), "said": said}
        return SafeString(render_to_string("admin/customer_limits.html", facts))

    @display(description="given")
    def given(self, customer: Customer) -> SafeString:
        newest = [*grants.of(customer)[: SHOWN + 1]]
        facts = {"customer": customer, "grants": rows(newest[:SHOWN]), "more": len(newest) > SHOWN}
        return SafeString(render_to_string("admin/customer_grants.html", facts))
