"""What admins change is in the audit log, with what was before, and the log is theirs to read."""

import uuid
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import audit
from accounts.models import AuditEntry, Site, Tier, User
from tests import pages


@pytest.fixture
def admin(client: Client, dana: User) -> Client:
    client.force_login(dana)
    return client


def url(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)  # type: ignore[attr-defined]


def recorded() -> list[tuple[str, str, str, dict[str, Any]]]:
    return [
        (one.actor_name, one.action, one.subject, one.detail) for one in AuditEntry.objects.order_by("number")
    ]


def staff_form(user: User, **changes: str) -> dict[str, str]:
    return {"email": user.email, "name": user.name, "role": user.role, "is_active": "on", **changes}


def test_right_to_reveal_is_given_with_a_tick_and_recorded(admin: Client, bob: User) -> None:
    page = url(User, "change", bob.pk)
    assert "one value or message at a time" in admin.get(page).content.decode().lower()
    assert admin.post(page, staff_form(bob, may_reveal="on")).status_code == 302
    bob.refresh_from_db()
    assert bob.may_reveal
    [(name, action, subject, detail)] = recorded()
    assert (name, action, subject) == ("Dana", "staff_changed", f"staff:{bob.pk}")
    assert detail == {
        "how": "changed",
        "what": ["May reveal private values"],
        "before": {"may_reveal": False},
        "after": {"may_reveal": True},
    }


def test_change_of_role_is_recorded_and_no_change_is_not(admin: Client, bob: User) -> None:
    page = url(User, "change", bob.pk)
    admin.post(page, staff_form(bob))
    assert recorded() == []
    admin.post(page, staff_form(bob, role="admin"))
    assert recorded()[0][3]["after"] == {"role": "admin"}


def test_refused_change_is_not_recorded(admin: Client, dana: User) -> None:
    page = url(User, "change", dana.pk)
    assert admin.post(page, staff_form(dana, role="agent")).status_code == 200
    assert recorded() == []


def test_new_and_removed_staff_and_passwords_are_recorded(admin: Client, bob: User) -> None:
    new = {"password1": "a-long-passphrase", "password2": "a-long-passphrase", "may_reveal": "on"}
    form = {"email": "eve@example.com", "name": "Eve", "role": "agent", **new}
    assert admin.post(url(User, "add"), form).status_code == 302
    eve = User.objects.get(email="eve@example.com")
    assert eve.may_reveal
    reset = {"password1": "another-passphrase", "password2": "another-passphrase"}
    assert admin.post(reverse("admin:auth_user_password_change", args=[bob.pk]), reset).status_code == 302
    assert admin.post(url(User, "delete", eve.pk), {"post": "yes"}).status_code == 302
    added, reset_bob, removed = recorded()
    assert added[3]["how"] == "added"
    assert added[3]["after"]["may_reveal"] is True
    assert (reset_bob[2], reset_bob[3]["what"]) == (f"staff:{bob.pk}", ["password"])
    assert removed[3]["before"]["email"] == "eve@example.com"
    assert "passphrase" not in str(recorded())


def test_new_identity_secret_is_recorded_and_never_told(admin: Client, site: Site) -> None:
    page = admin.post(reverse("admin:accounts_site_identity_secret", args=[site.pk])).content.decode()
    [(_, action, subject, detail)] = recorded()
    assert (action, subject, detail["what"]) == (
        "site_changed",
        "site:demo",
        "Made a new identity secret.",
    )
    site.refresh_from_db()
    assert site.secrets[0] in unescape(page)
    assert site.secrets[0] not in str(detail)


def test_limits_of_a_tier_are_recorded(admin: Client, free: Tier) -> None:
    page = url(Tier, "change", free.pk)
    form = pages.shown(admin.get(page)) | {"limits-0-amount": "99"}
    assert admin.post(page, form).status_code == 302
    [(_, action, subject, detail)] = recorded()
    assert (action, subject) == ("tier_changed", "tier:free")
    assert "10 " in detail["before"]["limits"][0]
    assert "99 " in detail["after"]["limits"][0]


def test_log_is_read_with_reasons_and_the_head_to_keep(admin: Client, bob: User, dana: User) -> None:
    audit.record(bob, "reveal_value", f"customer:{uuid.uuid4()}", reason="Parcel <b>lost</b>", kind="PHONE")
    page = admin.get(url(AuditEntry, "changelist")).content.decode()
    assert "Parcel &lt;b&gt;lost&lt;/b&gt;" in page
    assert str(audit.head()) in page
    for query in ({"action": "reveal_value"}, {"actor_name": "Bob"}, {"q": "customer:"}):
        assert "reveal_value" in admin.get(url(AuditEntry, "changelist"), query).content.decode()
    other = admin.get(url(AuditEntry, "changelist"), {"actor_name": "Dana"}).content.decode()
    assert "Parcel" not in other
    assert "Parcel &lt;b&gt;" in admin.get(url(AuditEntry, "change", 1)).content.decode()


def test_log_that_was_tampered_with_still_opens(admin: Client, bob: User) -> None:
    audit.record(bob, "export", "customer:1", reason="Asked by letter")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
        cursor.execute("UPDATE accounts_auditentry SET sealed_reason = 'gAAAAA'")
    assert "the entry was changed" in admin.get(url(AuditEntry, "changelist")).content.decode()


def test_agents_do_not_read_the_log(client: Client, bob: User) -> None:
    bob.may_reveal = True
    bob.save()
    client.force_login(bob)
    assert client.get(url(AuditEntry, "changelist")).status_code == 302
