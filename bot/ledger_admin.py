"""The admin's pages for the ledger: what was counted and what is held."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from unfold.decorators import display
from unfold.views import ChangeList

from accounts import holds
from accounts.ledger_admin import Ledger
from accounts.models import Customer, Grant, Hold, User, Window
from bot.desk import budget_names
from bot.models import Turn

_MINUTE = 60
LINK = "text-primary-600 dark:text-primary-500 underline"


class Named(ChangeList):
    """A page of rows that know how the desk calls their customers."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        found = Customer.objects.in_bulk({row.customer for row in rows})
        for row in rows:
            row.named = found.get(row.customer)
        self.result_list = rows


class Subjects(ChangeList):
    """A page of windows that knows how the desk calls the customers whom they count."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        ids = {row.subject: row.subject.removeprefix("customer:") for row in rows if _counts_customer(row)}
        found = {str(one.pk): one for one in Customer.objects.filter(id__in=ids.values())}
        for row in rows:
            row.named = found.get(ids.get(row.subject, ""))
        self.result_list = rows


class OfTurns(Ledger):
    """Rows of a turn and a customer, with the way to both while they exist."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Named

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        turns = Turn.objects.filter(id=OuterRef("turn")).values("conversation_id")
        return super().get_queryset(request).annotate(conversation=Subquery(turns[:1]))  # type: ignore[no-any-return]

    @display(description="turn")
    def asked(self, row: Any) -> SafeString | str:
        if row.conversation is None:
            return f"{str(row.turn)[:8]} (its text is deleted)"
        page = reverse("desk:conversation", args=[row.conversation])
        return format_html('<a class="{}" href="{}">{}</a>', LINK, page, str(row.turn)[:8])

    @display(description="customer")
    def whose(self, row: Any) -> SafeString | str:
        return customer_of(row)


@admin.register(Window)
class WindowAdmin(Ledger):
    """How much was used of what limits count, period by period."""

    list_display = ["what", "whom", "starts", "ends", "held_now", "used", "over"]
    list_filter = ["rule"]
    date_hierarchy = "starts_at"
    search_fields = ["subject"]
    ordering = ["-starts_at", "-settled"]
    list_before_template = "admin/windows_before.html"
    fieldsets = [
        (None, {"fields": ["what", "whom", "subject", "starts", "ends"]}),
        ("Counted", {"fields": ["held_now", "used", "over", "meaning"]}),
    ]

    @display(description="counts", ordering="rule")
    def what(self, window: Window) -> str:
        return budget_names.measure(window.rule)[0].capitalize()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Subjects

    @display(description="for", ordering="subject")
    def whom(self, window: Any) -> SafeString | str:
        if not _counts_customer(window):
            return budget_names.subject(window.subject)
        number = window.subject.removeprefix("customer:")
        named = window.named if hasattr(window, "named") else Customer.objects.filter(id=number).first()
        return _link(named) if named else f"{number[:8]} (deleted)"

    @display(description="from (UTC)", ordering="starts_at")
    def starts(self, window: Window) -> str:
        return minute(window.starts_at)

    @display(description="to (UTC)", ordering="ends_at")
    def ends(self, window: Window) -> str:
        return minute(window.ends_at)

    @display(description="held", ordering="held")
    def held_now(self, window: Window) -> str:
        return _much(window, window.held)

    @display(description="used", ordering="settled")
    def used(self, window: Window) -> str:
        return _much(window, window.settled)

    @display(description="overrun", ordering="overrun")
    def over(self, window: Window) -> str:
        return _much(window, window.overrun)

    @display(description="in words")
    def meaning(self, window: Window) -> str:
        return (
            f"{self.used(window)} used, and {self.held_now(window)} held for answers under way, which may "
            f"become used or be given back. {self.over(window)} of what was used had not been held. "
            "A limit lets go on what fits beside both."
        )


@admin.register(Hold)
class HoldAdmin(OfTurns):
    """Room that is kept in windows and grants for answers under way."""

    list_display = ["age", "state_label", "how_much", "place", "asked", "whose", "expires", "give_back"]
    list_filter = ["state", "metric"]
    date_hierarchy = "created_at"
    list_select_related = ["window", "grant"]
    search_fields = ["use", "turn", "customer", "window__subject"]
    search_help_text = "A whole turn, use or customer, as its id, or a part of who is counted."
    ordering = ["-id"]
    list_before_template = "admin/holds_before.html"
    fieldsets = [
        (None, {"fields": ["state_label", "how_much", "place", "asked", "whose", "give_back"]}),
        ("When", {"fields": ["age", "since", "expires"]}),
        ("In the end", {"fields": ["settled", "overrun", "late", "use"]}),
    ]

    def waiting(self) -> dict[str, Any]:
        """For the page: how much is held now, and since when."""
        held = holds.held()
        oldest = held.first()
        return {"count": held.count(), "age": oldest and age(oldest.created_at)}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.release)
        return [path("<int:pk>/release/", view, name="accounts_hold_release"), *super().get_urls()]

    def release(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and at the yes give back all that the use holds."""
        hold = get_object_or_404(self.get_queryset(request), pk=pk)
        if request.method == "POST":
            return self._release(request, hold.use)
        together = [one for one in holds.held() if one.use == hold.use]
        facts = {
            **self.admin_site.each_context(request),
            "title": "Release what is held",
            "opts": self.opts,
            "hold": hold,
            "age": age(hold.created_at),
            "until": minute(hold.expires_at),
            "rows": [(self.how_much(one), self.place(one)) for one in together],
            "asked": self.asked(hold),
            "whose": self.whose(hold),
        }
        return TemplateResponse(request, "admin/release_hold.html", facts)

    def _release(self, request: HttpRequest, use: UUID) -> HttpResponse:
        released = holds.release(use, cast(User, request.user))
        if released:
            said = f"Released: {', '.join(self.how_much(hold) for hold in released)}."
            self.message_user(request, said, messages.SUCCESS)
        else:
            said = "Nothing was released: it was settled, released or had expired meanwhile."
            self.message_user(request, said, messages.WARNING)
        return redirect("admin:accounts_hold_changelist")

    @display(description="age", ordering="created_at")
    def age(self, hold: Hold) -> str:
        return age(hold.created_at)

    @display(description="since (UTC)")
    def since(self, hold: Hold) -> str:
        return minute(hold.created_at)

    @display(description="amount")
    def how_much(self, hold: Hold) -> str:
        return budget_names.much(hold.metric, hold.amount)

    @display(description="held in")
    def place(self, hold: Hold) -> str:
        if hold.window is None:
            return _in_grant(hold.grant) if hold.grant else "–"
        counts = budget_names.measure(hold.window.rule)[0].capitalize()
        if _counts_customer(hold.window):
            return f"{counts}, their own"
        return f"{counts}, {budget_names.subject(hold.window.subject)}"

    @display(description="expires (UTC)", ordering="expires_at")
    def expires(self, hold: Hold) -> str:
        return minute(hold.expires_at)

    @display(
        description="state",
        label={"Held": "info", "Settled": "success", "Released": "", "Expired": "warning"},
    )
    def state_label(self, hold: Hold) -> str:
        return hold.get_state_display()

    @display(description="give back")
    def give_back(self, hold: Hold) -> SafeString | str:
        if hold.state != Hold.State.HELD:
            return "–"
        page = reverse("admin:accounts_hold_release", args=[hold.pk])
        return format_html('<a class="{}" href="{}">Release</a>', LINK, page)


def _counts_customer(window: Window) -> bool:
    return window.subject.startswith("customer:")


def customer_of(row: Any) -> SafeString | str:
    """The row's customer as the desk calls them, with the way to their page while they exist."""
    named = row.named if hasattr(row, "named") else Customer.objects.filter(id=row.customer).first()
    return _link(named) if named else f"{str(row.customer)[:8]} (deleted)"


def _link(customer: Customer) -> SafeString:
    page = reverse("admin:accounts_customer_change", args=[customer.pk])
    return format_html('<a class="{}" href="{}">{}</a>', LINK, page, str(customer))


def _in_grant(grant: Grant) -> str:
    return f"{grant.get_kind_display().capitalize()} until {minute(grant.expires_at)}"


def minute(moment: datetime) -> str:
    """How the books write times, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M}"


def age(since: datetime) -> str:
    """Such as "12 seconds" or "1 hour, 5 minutes"."""
    now = timezone.now()
    seconds = max(0, int((now - since).total_seconds()))
    if seconds >= _MINUTE:
        return timesince(since, now)
    return f"{seconds} second{'' if seconds == 1 else 's'}"


def _much(window: Window, amount: Any) -> str:
    return budget_names.much(budget_names.measure(window.rule)[1], amount)
