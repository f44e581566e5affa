"""The admin's list of all grants: they are given and withdrawn on their customer's page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.views import ChangeList

from accounts import grants
from accounts.ledger_admin import Ledger
from accounts.limit_sentences import amount
from accounts.models import Grant, Limit
from bot.desk import budget_names
from bot.ledger_admin import Named, customer_of, minute


@dataclass(frozen=True)
class Row:
    """One grant in an admin's words."""

    grant: Grant
    what: str
    used: str
    held: str
    left: str
    state: str

    @property
    def in_force(self) -> bool:
        return grants.in_force(self.grant)


def rows(given: Iterable[Grant]) -> list[Row]:
    return [
        Row(
            grant=one,
            what=what(one),
            used=amount(one.metric, one.settled),
            held=amount(one.metric, one.held) if one.held else "",
            left=amount(one.metric, grants.left(one)),
            state=state(one),
        )
        for one in given
    ]


def what(grant: Grant) -> str:
    """Such as "5 messages, large models"."""
    models = f", {grant.model_class} models" if grant.model_class else ""
    if grant.metric == Limit.Metric.MONEY:
        return f"{amount(grant.metric, grant.amount)}{models}"
    return f"{budget_names.much(grant.metric, grant.amount)}{models}"


def state(grant: Grant) -> str:
    if grant.withdrawn_at:
        return "Withdrawn"
    if grant.expires_at <= timezone.now():
        return "Expired"
    return "In force" if grants.left(grant) else "Used up"


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("in-force", "in force"), ("over", "expired, used up or withdrawn")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Grant]) -> QuerySet[Grant]:
        in_force = Q(withdrawn_at=None, expires_at__gt=timezone.now(), amount__gt=F("held") + F("settled"))
        match self.value():
            case "in-force":
                return queryset.filter(in_force)
            case "over":
                return queryset.exclude(in_force)
        return queryset


@admin.register(Grant)
class GrantAdmin(Ledger):
    """What customers were given beyond their limits."""

    list_display = [
        *("given_at", "whose", "kind", "amount_given", "used", "left", "state_label"),
        *("ends_at", "reason", "given_by"),
    ]
    list_filter = ["kind", StateFilter, "metric", "given_by"]
    search_fields = ["=customer", "=id"]
    search_help_text = "The customer's whole id here."
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    fields = [
        *("whose", "kind", "amount_given", "used", "held_now", "left", "state_label"),
        *("given_at", "ends_at", "taken_back_at", "reason", "given_by"),
    ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Named

    @display(description="customer")
    def whose(self, grant: Grant) -> SafeString | str:
        return customer_of(grant)

    @display(description="given (UTC)", ordering="created_at")
    def given_at(self, grant: Grant) -> str:
        return minute(grant.created_at)

    @display(description="ends (UTC)", ordering="expires_at")
    def ends_at(self, grant: Grant) -> str:
        return minute(grant.expires_at)

    @display(description="withdrawn (UTC)")
    def taken_back_at(self, grant: Grant) -> str:
        return minute(grant.withdrawn_at) if grant.withdrawn_at else "–"

    @display(description="amount")
    def amount_given(self, grant: Grant) -> str:
        return what(grant)

    @display(description="used", ordering="settled")
    def used(self, grant: Grant) -> str:
        return amount(grant.metric, grant.settled)

    @display(description="held", ordering="held")
    def held_now(self, grant: Grant) -> str:
        return amount(grant.metric, grant.held)

    @display(description="left")
    def left(self, grant: Grant) -> str:
        return amount(grant.metric, grants.left(grant))

    @display(
        description="state",
        label={"In force": "success", "Used up": "info", "Expired": "", "Withdrawn": "warning"},
    )
    def state_label(self, grant: Grant) -> str:
        return state(grant)
