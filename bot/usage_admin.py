"""The admin's page for upstream calls as they were charged."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest
from unfold.decorators import display

from accounts.models import UsageEntry
from accounts.prices import plain
from bot.ledger_admin import OfTurns


@admin.register(UsageEntry)
class UsageEntryAdmin(OfTurns):
    """Every upstream call as it was charged."""

    list_display = ["moment", "model", "model_class", "whose", "asked", "tokens", "price", "confidence",
                    "outcome"]  # fmt: skip
    list_filter = ["confidence", "outcome", "site", "tier", "provider", "model", "model_class"]
    date_hierarchy = "created_at"
    search_fields = ["turn", "customer", "call"]
    search_help_text = "A whole turn, customer or call, as its id."
    ordering = ["-created_at"]
    list_before_template = "admin/usage_sums.html"
    fieldsets = [
        (
            None,
            {"fields": ["moment", "outcome", "seconds", "asked", "whose", "site", "tier", "attempt", "call"]},
        ),
        ("Model", {"fields": ["model", "provider", "model_class"]}),
        ("Tokens", {"fields": ["fresh", "cached_tokens", "output_tokens", "reasoning_tokens", "confidence"]}),
        ("What it was charged by", {"fields": ["rates", "source", "price"]}),
    ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        page = super().changelist_view(request, extra_context)
        if cl := getattr(page, "context_data", None) and page.context_data.get("cl"):
            page.context_data["sums"] = sums(cl.queryset)
        return page

    @display(description="when (UTC)", ordering="created_at")
    def moment(self, entry: UsageEntry) -> str:
        return f"{entry.created_at:%Y-%m-%d %H:%M:%S}"

    @display(description="tokens in / out")
    def tokens(self, entry: UsageEntry) -> str:
        cached = f" ({entry.cached_tokens:,} cached)" if entry.cached_tokens else ""
        return f"{entry.input_tokens:,}{cached} / {entry.output_tokens:,}"

    @display(description="fresh input tokens")
    def fresh(self, entry: UsageEntry) -> str:
        return f"{entry.input_tokens - entry.cached_tokens}"

    @display(description="cost", ordering="cost")
    def price(self, entry: UsageEntry) -> str:
        if entry.cost is None:
            return "no known price"
        about = "" if entry.confidence == UsageEntry.Confidence.EXACT else "about "
        return f"{about}${plain(entry.cost)}"

    @display(description="US dollars for a million tokens")
    def rates(self, entry: UsageEntry) -> str:
        parts = [
            ("fresh", entry.input_price),
            ("cached", entry.cached_price),
            ("written", entry.output_price),
        ]
        said = ", ".join(f"${plain(rate)} {name}" for name, rate in parts if rate is not None)
        fee = f"; ${plain(entry.call_price)} for the call" if entry.call_price else ""
        return f"{said}{fee}" if said or fee else "not known"

    @display(description="these are")
    def source(self, entry: UsageEntry) -> str:
        known = {"list": "the public list prices of that moment", "own": "the deployment's own prices"}
        return known.get(entry.price_source, "not recorded")


def sums(entries: QuerySet[Any]) -> dict[str, Any]:
    """Over all that the page's filters leave."""
    kinds = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "cost")
    whole = {kind: Sum(kind) for kind in kinds}
    found: dict[str, Any] = entries.order_by().aggregate(calls=Count("id"), priced=Count("cost"), **whole)
    return {name: value or 0 for name, value in found.items()} | {"cost": plain(found["cost"] or Decimal(0))}
