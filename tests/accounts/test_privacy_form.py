"""What an admin sets about private values, seen through the site's page."""

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import masking, privacy_form
from accounts.models import AuditEntry, Site, User
from accounts.privacy_form import WholeSiteForm
from bot.privacy.placeholders import KINDS


@pytest.fixture
def page(client: Client, dana: User, site: Site) -> Client:
    client.force_login(dana)
    return client


def filled(site: Site, **changed: str) -> WholeSiteForm:
    """The form as it is shown, with these changes."""
    shown = WholeSiteForm(instance=site)
    form = {name: field.prepare_value(shown[name].value()) for name, field in shown.fields.items()}
    return WholeSiteForm({**form, **changed}, instance=site)


def save(page: Client, site: Site, **changed: Any) -> list[str]:
    """Post the site's page; what is wrong with it."""
    url = reverse("admin:accounts_site_change", args=[site.pk])
    data = filled(site, **changed).data
    answer = page.post(url, {name: value for name, value in data.items() if value is not None})
    site.refresh_from_db()
    if answer.status_code == 302:
        return []
    return [
        unescape(wrong) for errors in answer.context["adminform"].form.errors.values() for wrong in errors
    ]


def test_form_knows_every_kind_that_there_is() -> None:
    assert tuple(masking.KINDS) == KINDS
    rows = {name for row in privacy_form.ROWS for name in row if name.startswith("masking_")}
    assert rows == {f"masking_{kind}" for kind in KINDS if len(masking.choices(kind)) > 1}


def test_choices_are_stored_where_they_differ_and_audited_with_before_and_after(
    page: Client, site: Site
) -> None:
    assert save(page, site, masking_EMAIL="keep", masking_CARD="mask", phone_regions="gb, cn GB") == []
    assert site.masking == {"EMAIL": "keep", "CARD": "mask"}
    assert site.phone_regions == ["GB", "CN"]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail["before"]["masking"]) == ("site_changed", {})
    assert entry.detail["after"]["masking"] == {"EMAIL": "keep", "CARD": "mask"}
    assert save(page, site, masking_EMAIL="mask", masking_CARD="refuse", call_days="") == []
    assert (site.masking, site.text_days, site.call_days) == ({}, 365, None)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"masking_EMAIL": "sell"}, "Select a valid choice"),
        ({"phone_regions": "GB, XX, Narnia"}, "No such country: XX, NARNIA."),
        ({"text_days": "0"}, "At least 1."),
        ({"id_patterns": "TRK\\d{10}\n("}, "Line 2: not a regular expression"),
        ({"id_patterns": "x" * 201}, "Line 1: longer than 200 characters."),
        ({"id_patterns": "TRK\\d{10}\n\n\\d*"}, "Line 2: matches where nothing stands"),
        ({"id_patterns": "\\S+"}, "Line 1: also matches alice@example.com"),
        ({"id_patterns": "(\\d+)+x"}, "Line 1: takes too long on some texts"),
        ({"id_patterns": "\n".join(f"A{number}" for number in range(21))}, "At most 20 patterns"),
    ],
    ids=repr,
)
def test_what_is_wrong_is_named(site: Site, changed: dict[str, str], why: str) -> None:
    [wrong] = filled(site, **changed).errors.values()
    assert len(wrong) == 1
    assert why in wrong[0]


def test_wrong_form_changes_nothing(page: Client, site: Site) -> None:
    assert len(save(page, site, masking_EMAIL="keep", phone_regions="XX")) == 1
    assert (site.masking, site.phone_regions) == ({}, [])


def test_patterns_of_a_shop_are_taken(site: Site) -> None:
    form = filled(site, id_patterns="TRK\\d{10}\n \\d{10} \nSKU[ -]?\\d{5}")
    assert form.errors == {}
    assert form.save().id_patterns == ["TRK\\d{10}", "\\d{10}", "SKU[ -]?\\d{5}"]
