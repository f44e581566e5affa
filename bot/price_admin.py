"""The admin's page for prices: what each model costs now and later, and what the deployment pays itself."""

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model as Row
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.audit_admin import Audited
from accounts.limit_sentences import plain as with_commas
from accounts.prices import Rates, plain
from bot import price_list
from bot.models import Model, Price
from bot.price_form import NAMES, PriceForm
from bot.price_list import ModelPrice

CHARGED = (
    "Calls were charged by this price, so it stays as it is: what they cost can be checked at any time. "
    "To pay another price from now on, add a new one."
)

SHOWN = (
    *("why", "model", "provider", "since"),
    *("input_dollars", "cached_dollars", "output_dollars", "call_dollars"),
)


@admin.register(Price)
class PriceAdmin(Audited, ModelAdmin):
    """What the deployment pays for models where that is not the public list price."""

    audited = "price_changed"
    audited_values = ("provider", "model", "starts_at", *NAMES, "note")
    form = PriceForm
    list_display = ["model", "provider", "since", "input_dollars", "cached_dollars", "output_dollars",
                    "call_dollars", "state"]  # fmt: skip
    list_select_related = ["provider"]
    list_filter = ["provider"]
    search_fields = ["model", "note"]
    ordering = ["-starts_at", "-id"]
    list_before_template = "admin/price_overview.html"
    warn_unsaved_form = True
    fieldsets = [
        (None, {"fields": ["priced", "starts_at"]}),
        (
            "US dollars for a million tokens",
            {
                "description": "What is empty is charged by the public list.",
                "fields": ["input", "cached", "output"],
            },
        ),
        ("Beside the tokens", {"fields": ["call", "note"]}),
        ("Only where this page asks for it", {"fields": ["is_free", "is_right"]}),
    ]

    def overview(self) -> list[ModelPrice]:
        """For the page: every model, those that need a price first."""
        return price_list.of_models()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().get_changeform_initial_data(request), "starts_at": timezone.now()}

    def has_change_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or not _is_history(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not _is_history(obj))

    def get_fieldsets(self, request: HttpRequest, obj: Price | None = None) -> Any:
        """A price that is history is only shown."""
        if obj is None or self.has_change_permission(request, obj):
            return self.fieldsets
        return [(None, {"fields": [*SHOWN, "note"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Price | None = None) -> list[str]:
        return [] if obj is None or self.has_change_permission(request, obj) else list(SHOWN)

    def save_model(self, request: HttpRequest, obj: Price, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for remark in form.remarks():  # type: ignore[attr-defined]
            self.message_user(request, remark, messages.WARNING)

    def _values(self, obj: Row) -> dict[str, Any]:
        values = super()._values(obj)
        return {
            name: plain(Decimal(value)) if name in NAMES and value else value
            for name, value in values.items()
        }

    @display(description="why it cannot be changed")
    def why(self, price: Price) -> str:
        return CHARGED

    @display(description="from (UTC)", ordering="starts_at")
    def since(self, price: Price) -> str:
        return f"{price.starts_at:%Y-%m-%d %H:%M}"

    @display(description="input")
    def input_dollars(self, price: Price) -> str:
        return paid(price, "input")

    @display(description="cached")
    def cached_dollars(self, price: Price) -> str:
        return "as input" if price.cached is None and price.input is not None else paid(price, "cached")

    @display(description="output")
    def output_dollars(self, price: Price) -> str:
        return paid(price, "output")

    @display(description="each call")
    def call_dollars(self, price: Price) -> str:
        return paid(price, "call")

    @display(description="state", label={"Planned": "info", "Begun": ""})
    def state(self, price: Price) -> str:
        return "Planned" if price.starts_at > timezone.now() else "Begun"


def _is_history(price: Any) -> bool:
    """Asked many times for one page, and looked up once: that reads the whole ledger."""
    if not hasattr(price, "is_history"):
        price.is_history = price_list.was_charged(price)
    return bool(price.is_history)


def paid(price: Price, name: str) -> str:
    """Its own figure, or whether the public list has one; most models take nothing for the call itself."""
    own = getattr(price, name)
    if own is not None:
        return f"${with_commas(own)}"
    rate = getattr(price_list.rates_by(price), name, None)
    if name == "call" and not rate:
        return "–"
    return "not listed" if rate is None else "list price"


def in_words(rates: Rates) -> str:
    """Such as "$0.15 in, $0.6 out a million tokens"."""
    parts = [("in", rates.input), ("cached", rates.cached), ("out", rates.output)]
    said = ", ".join(f"${with_commas(rate)} {name}" for name, rate in parts if rate is not None)
    fee = f", and ${with_commas(rates.call)} a call" if rates.call else ""
    return f"{said} for a million tokens{fee}"


def in_force(model: Model) -> SafeString:
    """For the page of a model: what it costs now, and where that is set."""
    one = price_list.of_model(model.provider_id, model.name)
    link = "text-primary-600 dark:text-primary-500 underline"
    if one is None or one.rates is None or not one.known:
        return format_html(
            '<span class="font-semibold text-red-700 dark:text-red-500">No known price.</span> '
            "It does not answer customers whose money a limit counts, and its calls are charged nothing. "
            '<a class="{}" href="{}?priced={}">Set a price</a>',
            link,
            reverse("admin:bot_price_add"),
            price_list.key(model.provider_id, model.name),
        )
    whose = f"since {one.own.starts_at:%Y-%m-%d} (your own)" if one.own else "(public list)"
    page = reverse("admin:bot_price_changelist")
    return format_html('{} {} · <a class="{}" href="{}">Prices</a>', in_words(one.rates), whose, link, page)
