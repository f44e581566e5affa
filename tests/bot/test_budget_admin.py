"""Budgets, the deployment's page and its switch, as admins see them."""

import re
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import limits, periods, spending
from accounts.limit_sentences import sentence
from accounts.models import AuditEntry, Customer, Deployment, Limit, Site, Tier, User, Window
from bot.models import Model, Provider
from tests import pages

LIST = "admin:accounts_limit_changelist"


@pytest.fixture
def admin(client: Client, dana: User) -> Client:
    client.force_login(dana)
    return client


@pytest.fixture
def budget(db: None) -> Limit:
    return Limit.objects.create(
        scope="deployment", metric="money", period="month", amount=Decimal(20), warn_at=[70, 80]
    )


def text(admin: Client, name: str, *args: object) -> str:
    return admin.get(reverse(name, args=args)).content.decode()


def test_budgets_say_what_they_mean_and_how_far_they_are_used(
    admin: Client, budget: Limit, free: Tier
) -> None:
    Window.objects.create(
        rule="money:any:month", subject="deployment", number=0, starts_at="2020-01-01T00:00Z",
        ends_at="2020-02-01T00:00Z", settled=19,
    )  # fmt: skip
    shown = text(admin, LIST)
    assert re.search(r'class="[^"]*truncate[^"]*">\s*Budgets\s*<', shown)
    assert sentence(budget, "UTC") in shown
    assert "<b>$0</b> of $20" in shown
    assert "of each tier" not in shown
    assert sentence(free.limits.get(), "UTC") not in shown


def test_preset_puts_the_deployment_under_a_budget_once(admin: Client) -> None:
    assert "No budget is in force" in text(admin, LIST)
    click = reverse("admin:accounts_limit_preset", args=["twenty-dollars"])
    shown = admin.post(click, follow=True).content.decode()
    assert "at most $20 a month" in shown
    assert "told at 70%, 80% and 100%" in shown
    admin.post(click)
    budget = Limit.objects.get()
    assert AuditEntry.objects.get().detail["after"]["limit"] == sentence(budget, "UTC")
    admin.post(reverse("admin:accounts_limit_delete", args=[budget.pk]), {"post": "yes"})
    assert AuditEntry.objects.latest("number").detail["before"]["limit"] == sentence(budget, "UTC")
    assert not Limit.objects.exists()


def test_budget_is_added_for_a_site_and_never_twice(admin: Client, site: Site) -> None:
    add = reverse("admin:accounts_limit_add")
    form = {"scope": "site", "amount": "5", "metric": "money", "period": "day", "when_full": "degrade"}
    assert "Say which site" in admin.post(add, form).content.decode()
    assert admin.post(add, form | {"site": site.pk}).status_code == 302
    assert Limit.objects.get(scope="site").site == site
    assert "counts the same" in admin.post(add, form | {"site": site.pk}).content.decode()
    assert (
        "not of one site" in admin.post(add, form | {"site": site.pk, "scope": "deployment"}).content.decode()
    )
    assert Limit.objects.filter(tier=None).count() == 1


def test_nobody_is_told_of_each_address_nor_answered_by_what_is_not_cheaper(admin: Client) -> None:
    provider = Provider.objects.create(name="own", base_url="http://127.0.0.1:1/v1")
    Model.objects.create(provider=provider, name="house-7b", model_class="small")
    add = reverse("admin:accounts_limit_add")
    form = {"scope": "address", "amount": "5", "metric": "messages", "period": "day", "when_full": "degrade"}
    assert "limits that many share" in admin.post(add, form | {"warn_at": "50"}).content.decode()
    cheap = {"scope": "deployment", "about": "model:house-7b", "when_full": "next"}
    assert "cheaper than small" in admin.post(add, form | cheap).content.decode()
    assert not Limit.objects.exists()
    none = admin.post(add, form | {"amount": "0"}, follow=True).content.decode()
    assert "nobody is answered by a model." in none


def test_time_zone_is_chosen_and_recorded(admin: Client) -> None:
    assert spending.zone() == "UTC"
    change = reverse("admin:accounts_deployment_changelist")
    page = admin.get(change)
    form = pages.shown(page)
    assert "counted anew from their new beginning" in page.content.decode()
    assert admin.post(change, form).status_code == 302
    assert "tick this, too" in admin.post(change, form | {"time_zone": "Europe/Berlin"}).content.decode()
    assert spending.zone() == "UTC"
    form |= {"counted_anew": "on"}
    assert admin.post(change, form | {"time_zone": "Europe/Berlin"}).status_code == 302
    assert spending.zone() == "Europe/Berlin"
    assert AuditEntry.objects.get().detail["after"] == {"time_zone": "Europe/Berlin"}
    assert admin.post(change, form | {"time_zone": "Mars/Olympus"}).status_code == 200
    assert spending.zone() == "Europe/Berlin"


def test_time_zone_names_the_budgets_that_it_empties(admin: Client, budget: Limit) -> None:
    now = timezone.now()
    span = periods.span("month", now, "UTC")
    Window.objects.create(
        rule="money:any:month", subject="deployment", number=span.number, starts_at=span.starts_at,
        ends_at=span.ends_at, settled=Decimal("14.2"),
    )  # fmt: skip
    shown = text(admin, "admin:accounts_deployment_changelist")
    assert "Begun anew: The deployment, $20 a month, $14.20 used." in shown


def test_switch_stops_with_a_reason_and_every_page_says_so(
    admin: Client, dana: User, alice: Customer
) -> None:
    stop = reverse("admin:accounts_deployment_stop")
    assert "Say why" in admin.post(stop, {"reason": " "}, follow=True).content.decode()
    assert spending.stopped() is None
    banner = "All spending is stopped by Dana"
    for page in ("admin:index", "desk:inbox"):
        assert "stopped by" not in text(admin, page)
    admin.post(stop, {"reason": "a loop"})
    assert limits.binding(alice).stopped
    for page in ("admin:index", LIST, "desk:inbox"):
        assert banner in text(admin, page)
    admin.post(reverse("admin:accounts_deployment_allow"))
    assert banner not in text(admin, LIST)


def test_neither_budgets_nor_the_switch_are_for_agents(client: Client, bob: User, budget: Limit) -> None:
    client.force_login(bob)
    assert client.get(reverse(LIST)).status_code == 302
    assert client.post(reverse("admin:accounts_deployment_stop"), {"reason": "x"}).status_code == 302
    assert client.post(reverse("admin:accounts_limit_delete", args=[budget.pk])).status_code == 302
    assert spending.stopped() is None
    assert Limit.objects.filter(pk=budget.pk).exists()
    assert not Deployment.objects.filter(stopped_at__isnull=False).exists()
