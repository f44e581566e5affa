"""Prices of the deployment's own: what looks like a slip is asked for again, and history stays."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from uuid import uuid4

import pytest
from django import forms
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, UsageEntry, User
from bot import price_list
from bot.models import Model, Price, Provider
from bot.price_admin import paid
from bot.price_form import PriceForm, doubt
from tests import pages

pytestmark = pytest.mark.django_db
LIST, ADD = reverse("admin:bot_price_changelist"), reverse("admin:bot_price_add")


@pytest.fixture
def admin(client: Client, dana: User) -> Client:
    client.force_login(dana)
    return client


@pytest.fixture
def mini() -> Model:
    acme = Provider.objects.create(name="Acme", base_url="http://127.0.0.1:9/v1")
    return Model.objects.create(provider=acme, name="gpt-4o-mini", model_class="small")


@pytest.fixture
def own_7b(mini: Model) -> Model:
    return Model.objects.create(provider=mini.provider, name="own-7b", model_class="large")


def change(price: Price) -> str:
    return reverse("admin:bot_price_change", args=[price.pk])


def page(client: Client, address: str) -> str:
    return unescape(client.get(address, follow=True).content.decode())


def save(client: Client, model: Model, **prices: str) -> str:
    """What the page says when this is sent; the list of prices where it was saved."""
    address = f"{ADD}?priced={model.provider_id}:{model.name}"
    form = pages.shown(client.get(address)) | prices
    return unescape(client.post(address, form, follow=True).content.decode())


def wrong(model: Model, **sent: str) -> str:
    """What the form says of this; nothing where it takes it."""
    told = {
        "priced": f"{model.provider_id}:{model.name}",
        "starts_at_0": "2026-01-01",
        "starts_at_1": "00:00",
    }
    form = forms.modelform_factory(
        Price, PriceForm, field_classes={"starts_at": forms.SplitDateTimeField},
        widgets={"starts_at": forms.SplitDateTimeWidget},
    )(told | sent)  # fmt: skip
    return " ".join(error for errors in form.errors.values() for error in errors)


def charge(price: Price) -> UsageEntry:
    return UsageEntry.objects.create(
        turn=uuid4(), customer=uuid4(), provider=price.provider.name, model=price.model, confidence="exact",
        price_source="own", input_price=price.input, output_price=price.output, cached_price=price.input,
    )  # fmt: skip


def test_price_is_set_shown_in_force_and_recorded(admin: Client, own_7b: Model) -> None:
    assert "no known price" in page(admin, LIST)
    assert "No known price." in page(admin, reverse("admin:bot_model_change", args=[own_7b.pk]))
    save(admin, own_7b, input="2", output="8")
    assert "no known price" not in page(admin, LIST)
    assert "$2 / $2 / $8" in page(admin, LIST)
    assert "$2 in, $2 cached, $8 out" in page(admin, reverse("admin:bot_model_change", args=[own_7b.pk]))
    [entry] = AuditEntry.objects.filter(action="price_changed")
    assert entry.detail["after"] | {"starts_at": ""} == {
        "provider": "Acme", "model": "own-7b", "starts_at": "", "input": "2", "cached": None, "output": "8",
        "call": None, "note": "",
    }  # fmt: skip


def test_change_is_recorded_with_what_was_before(admin: Client, own_7b: Model) -> None:
    start = timezone.now().replace(microsecond=0)
    price = Price.objects.create(provider=own_7b.provider, model="own-7b", starts_at=start, input=2, output=8)
    form = pages.shown(admin.get(change(price))) | {"output": "9"}
    assert admin.post(change(price), form).status_code == 302
    [entry] = AuditEntry.objects.filter(action="price_changed")
    assert (entry.detail["before"], entry.detail["after"]) == ({"output": "8"}, {"output": "9"})


def test_planned_price_is_shown_and_not_in_force(admin: Client, own_7b: Model) -> None:
    later = timezone.now() + timedelta(days=9)
    Price.objects.create(provider=own_7b.provider, model="own-7b", starts_at=later, input=3, output=4)
    text = page(admin, LIST)
    assert f"$3 / $3 / $4, from {later:%Y-%m-%d}" in text
    assert "no known price" in text


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"input": "-1"}, "At least 0."),
        ({"input": "a lot"}, "Write a number, with a point before its parts."),
        ({"input": "1", "starts_at_0": "0001-01-01"}, "A day from 2020 on"),
        ({"input": "1", "starts_at_0": "2019-12-31"}, "A day from 2020 on"),
        ({"input": "1", "starts_at_0": "9999-12-31"}, "at most two years from now"),
        ({}, "Give at least one price"),
        ({"input": "0"}, "Zero for input: is that free?"),
        ({"input": "0.00000015"}, "1,000,000 times less than the public list price, $0.15 for a million "
                                  "tokens. Was it meant for one token? Then write 0.15."),
        ({"output": "0.0006"}, "1,000 times less than the public list price, $0.6 for a million "
                               "tokens. Was it meant for a thousand tokens? Then write 0.6."),
        ({"input": "15"}, "100 times more than the public list price, $0.15 for a million tokens. "
                          "Was it meant in cents? Then write 0.15."),
        ({"input": "15", "output": "60"}, "is right all the same"),
        ({"input": "0.1234567"}, "At most 6 digits after the point"),
    ],
)  # fmt: skip
def test_what_looks_like_a_slip_is_refused(mini: Model, sent: dict[str, str], said: str) -> None:
    assert said in wrong(mini, **sent)


@pytest.mark.parametrize(
    "sent",
    [
        {"input": "0", "output": "0", "is_free": "on"},
        {"input": "15", "is_right": "on"},
        {"input": "14.9"},
        {"input": "0.123456"},
        {"call": "0.01"},
    ],
)
def test_what_is_confirmed_or_plausible_is_taken(mini: Model, sent: dict[str, str]) -> None:
    assert wrong(mini, **sent) == ""


@pytest.mark.parametrize("other", [datetime(2025, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)])
def test_jump_from_a_price_of_our_own_needs_confirming(own_7b: Model, other: datetime) -> None:
    Price.objects.create(provider=own_7b.provider, model="own-7b", starts_at=other, input=2, output=8)
    said = f"1,000 times less than your own price of {other:%Y-%m-%d}, $2"
    assert said in wrong(own_7b, input="0.002", output="8")
    assert wrong(own_7b, input="0.002", output="8", is_right="on") == ""


def test_dear_cached_input_and_a_start_in_the_past_are_pointed_out(admin: Client, mini: Model) -> None:
    yesterday = f"{timezone.now() - timedelta(days=1):%Y-%m-%d}"
    text = save(admin, mini, cached="0.3", starts_at_0=yesterday)
    assert "Cached input costs more ($0.3) than fresh input ($0.15)" in text
    assert "Calls that were charged already stay as they were charged" in text
    save(admin, mini, cached="0.3", starts_at_0=yesterday, starts_at_1="00:00:00")
    assert "has a price from that moment on already" in save(
        admin, mini, cached="0.2", starts_at_0=yesterday, starts_at_1="00:00:00"
    )


def test_price_that_calls_were_charged_by_stays(admin: Client, own_7b: Model) -> None:
    price = Price.objects.create(provider=own_7b.provider, model="own-7b", input=2, output=8)
    form = pages.shown(admin.get(change(price)))
    charge(price)
    text = page(admin, change(price))
    assert "Calls were charged by this price, so it stays as it is" in text
    assert "$8" in text
    assert admin.post(change(price), form | {"input": "3"}).status_code == 403
    delete = reverse("admin:bot_price_delete", args=[price.pk])
    assert admin.post(delete, {"post": "yes"}).status_code == 403
    several = {"action": "delete_selected", "_selected_action": [price.pk], "post": "yes"}
    admin.post(LIST, several)
    assert Price.objects.get().input == 2
    UsageEntry.objects.all().delete()
    assert admin.post(delete, {"post": "yes"}).status_code == 302
    assert AuditEntry.objects.get(action="price_changed").detail["how"] == "removed"


def test_price_is_history_only_by_its_own_calls(own_7b: Model) -> None:
    acme, now = own_7b.provider, timezone.now()
    first, second = (
        Price.objects.create(
            provider=acme, model="own-7b", starts_at=now - timedelta(days=days), input=input, output=8
        )
        for days, input in ((9, 2), (1, 3))
    )
    charge(first)
    assert price_list.was_charged(first)
    assert not price_list.was_charged(second)


def test_prices_that_are_not_given_say_whether_they_are_listed(
    admin: Client, mini: Model, own_7b: Model
) -> None:
    Price.objects.create(provider=own_7b.provider, model="own-7b", input=40_000)
    Price.objects.create(provider=mini.provider, model="gpt-4o-mini", input=1)
    [dear, listed] = Price.objects.order_by("-input")
    assert [paid(dear, name) for name in ("input", "output", "call")] == ["$40,000", "not listed", "–"]
    assert [paid(listed, name) for name in ("input", "output", "call")] == ["$1", "list price", "–"]
    text = page(admin, LIST)
    assert "$40,000 / $40,000 / unknown" in text
    assert "$40000" not in text


def test_agents_see_and_set_no_prices(client: Client, bob: User, mini: Model) -> None:
    client.force_login(bob)
    assert client.get(LIST).status_code == 302
    assert client.post(ADD, {"priced": f"{mini.provider_id}:{mini.name}", "input": "1"}).status_code == 302
    assert not Price.objects.exists()


def test_doubt_says_nothing_of_what_is_near() -> None:
    assert doubt(Decimal(2), Decimal(3), "the list") == ""
    assert doubt(Decimal("0.001"), Decimal(3), "the list", of_tokens=False).endswith("for a call.")
