"""The admin's pages for the ledger: what was counted, held and charged."""

from typing import Any

from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from accounts.models import Hold, Limit, UsageEntry, Window
from accounts.prices import plain


class Ledger(ModelAdmin):
    """Books are read, not corrected."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class WindowAdmin(Ledger):
    list_display = ["what", "subject", "starts_at", "held_now", "used", "over"]
    list_filter = ["rule"]
    date_hierarchy = "starts_at"
    search_fields = ["subject"]
    ordering = ["-starts_at", "-settled"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Window]:
        rule = Concat(Value("limit:"), Cast("pk", CharField()))
        limits = Limit.objects.annotate(rule=rule).filter(rule=OuterRef("rule"))
        windows: QuerySet[Window] = super().get_queryset(request)
        return windows.annotate(tier=Subquery(limits.values("tier__name")[:1]))

    @display(description="counts for", ordering="rule")
    def what(self, window: Any) -> str:
        if window.rule == "anonymous-address":
            return "a network's anonymous visitors"
        return f"{window.tier}, {window.rule}" if window.tier else window.rule

    @display(description="held", ordering="held")
    def held_now(self, window: Window) -> str:
        return plain(window.held)

    @display(description="used", ordering="settled")
    def used(self, window: Window) -> str:
        return plain(window.settled)

    @display(description="overrun", ordering="overrun")
    def over(self, window: Window) -> str:
        return plain(window.overrun)


class HoldAdmin(Ledger):
    list_display = ["turn", "state_label", "how_much", "subject", "created_at", "expires_at"]
    list_filter = ["state", "window__rule"]
    date_hierarchy = "created_at"
    list_select_related = ["window"]
    search_fields = ["use", "window__subject"]
    ordering = ["-id"]

    @display(description="turn")
    def turn(self, hold: Hold) -> str:
        return str(hold.use)[:8]

    @display(description="from", ordering="window__subject")
    def subject(self, hold: Hold) -> str:
        return hold.window.subject if hold.window else "a grant"

    @display(description="amount")
    def how_much(self, hold: Hold) -> str:
        return plain(hold.amount)

    @display(
        description="state",
        label={"Held": "info", "Settled": "success", "Released": "", "Expired": "warning"},
    )
    def state_label(self, hold: Hold) -> str:
        return hold.get_state_display()


class UsageEntryAdmin(Ledger):
    list_display = ["created_at", "model", "provider", "site", "tier", "tokens", "price", "outcome"]
    list_filter = ["confidence", "outcome", "site", "tier", "provider", "model"]
    date_hierarchy = "created_at"
    search_fields = ["turn", "customer", "call"]
    ordering = ["-created_at"]

    @display(description="tokens in / out")
    def tokens(self, entry: UsageEntry) -> str:
        return f"{entry.input_tokens:,} / {entry.output_tokens:,}"

    @display(description="cost", ordering="cost")
    def price(self, entry: UsageEntry) -> str:
        if entry.cost is None:
            return "no known price"
        about = "" if entry.confidence == UsageEntry.Confidence.EXACT else "about "
        return f"{about}${plain(entry.cost)}"
