import re
import uuid
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from accounts import allowance, audit, quota
from accounts.models import AuditEntry, Customer, Hold, Limit, Site, Tier, UsageEntry, User, Window
from tests import pages

PASSWORD = "a-long-password"  # the cast's


@pytest.fixture
def admin(client: Client, dana: User) -> Client:
    client.force_login(dana)
    return client


def url(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def ledger(alice: Customer) -> None:
    quota.hold(uuid.uuid4(), alice, seconds=60)
    audit.record(alice, "export", f"customer:{alice.id}")
    UsageEntry.objects.create(
        turn=uuid.uuid4(), customer=alice.id, cost=Decimal("0.00012"), confidence="exact"
    )


class TestSignIn:
    def sign_in(self, client: Client, email: str, password: str = PASSWORD) -> bool:
        answer = client.post(reverse("desk:sign-in"), {"email": email, "password": password})
        return answer.status_code == 302 and client.get(reverse("admin:index")).status_code == 200

    def test_admin_comes_in_by_email(self, client: Client, dana: User):
        assert self.sign_in(client, "Dana@Example.com")

    def test_agent_stays_out(self, client: Client, bob: User):
        assert not self.sign_in(client, "bob@example.com")
        client.force_login(bob)
        assert client.get(reverse("admin:index")).status_code == 302
        assert client.get(url(Tier, "changelist")).status_code == 302
        assert client.get(reverse("admin:login")).status_code == 403

    def test_there_is_no_second_door_that_counts_no_failures(self, client: Client, dana: User):
        form = {"username": dana.email, "password": PASSWORD}
        assert client.post(reverse("admin:login"), form).status_code == 405
        asked = client.get(reverse("admin:index"), follow=True)
        assert asked.redirect_chain[-1][0] == "/desk/sign-in/?next=%2Fadmin%2F"

    def test_nobody_comes_in_with_a_wrong_password_or_after_leaving(self, client: Client, dana: User):
        assert not self.sign_in(client, "dana@example.com", "wrong")
        User.objects.update(is_active=False)
        assert not self.sign_in(client, "dana@example.com")


@pytest.mark.parametrize("model", [User, Site, Tier, Customer, Window, Hold, UsageEntry])
@pytest.mark.usefixtures("ledger")
def test_every_page_opens(admin: Client, vip: Tier, model: type):
    assert admin.get(url(model, "changelist")).status_code == 200
    assert admin.get(url(model, "changelist"), {"q": "alice"}).status_code == 200
    assert admin.get(url(model, "change", model.objects.first().pk)).status_code == 200


@pytest.mark.parametrize("model", [Window, Hold, UsageEntry, AuditEntry])
@pytest.mark.usefixtures("ledger")
def test_ledger_cannot_be_changed(admin: Client, model: type):
    row = model.objects.first()
    assert admin.get(url(model, "add")).status_code == 403
    assert admin.post(url(model, "change", row.pk), {"state": "released", "held": 0}).status_code == 403
    assert admin.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert list(model.objects.values()) == list(model.objects.filter(pk=row.pk).values())


def test_customers_are_shown_without_name_and_email(admin: Client, alice: Customer):
    for page in (url(Customer, "changelist"), url(Customer, "change", alice.pk)):
        text = admin.get(page).content.decode()
        assert "alice" in text
        assert "alice@example.com" not in text
        assert "Alice Moss" not in text


def test_customer_gets_another_tier_and_it_bites(admin: Client, alice: Customer, vip: Tier):
    page = url(Customer, "change", alice.pk)
    assert "messages today: 0 of 10 used" in admin.get(page).content.decode()
    assert admin.post(page, {"tier": vip.pk}).status_code == 302
    alice.refresh_from_db()
    assert alice.effective_tier == vip
    assert "given by hand" in admin.get(url(Customer, "changelist")).content.decode()


def test_limit_of_a_tier_is_changed_and_bites(admin: Client, alice: Customer, free: Tier):
    limit = free.limits.get()
    page = url(Tier, "change", free.pk)
    form = pages.shown(admin.get(page))
    assert admin.post(page, form | {"limits-0-amount": "0"}).status_code == 302
    assert allowance.of(alice).exhausted
    refused = admin.post(page, form | {"limits-0-amount": "-1"})
    assert refused.status_code == 200
    assert Limit.objects.get(pk=limit.pk).amount == 0


def test_tiers_are_told_in_plain_language(admin: Client, plus: Tier, vip: Tier):
    text = admin.get(url(Tier, "changelist")).content.decode()
    assert re.search(r"\b100 messages answered by [a-z ]+ a day", unescape(text))
    assert "No limit" in text


def site_form(site: Site, **changed: object) -> dict[str, object]:
    return {
        "name": site.name, "key": site.key, "origins": "", "assistant": "Robin", "colour": "#1f6f5c",
        "privacy_url": "", "default_tier": site.default_tier_id, "allowed_tiers": [],
        "greeting_en": "", "greeting_zh": "", "suggestions_en": "", "suggestions_zh": "",
    } | changed  # fmt: skip


class TestSite:
    def test_site_is_laid_out_by_language(self, admin: Client, site: Site):
        form = site_form(
            site,
            origins="https://Shop.example.com/\n\n http://localhost:8000 ",
            greeting_en="Hello!",
            greeting_zh="您好！",
            suggestions_en="Where is my order?\nHow do I return something?\n",
        )
        assert admin.post(url(Site, "change", site.pk), form).status_code == 302
        site.refresh_from_db()
        assert site.origins == ["https://shop.example.com", "http://localhost:8000"]
        assert site.greeting == {"en": "Hello!", "zh": "您好！"}
        assert site.suggestions == {"en": ["Where is my order?", "How do I return something?"]}
        text = admin.get(url(Site, "change", site.pk)).content.decode()
        assert "Where is my order?\nHow do I return something?" in text

    @pytest.mark.parametrize(
        "changed",
        [
            {"origins": "shop.example.com"},
            {"origins": "https://shop.example.com/path"},
            {"origins": "javascript:alert(1)"},
            {"colour": "red"},
            {"key": "no spaces"},
        ],
        ids=repr,
    )
    def test_site_is_refused_when_something_is_wrong(self, admin: Client, site: Site, changed):
        answer = admin.post(url(Site, "change", site.pk), site_form(site, **changed))
        assert answer.status_code == 200
        site.refresh_from_db()
        assert (site.origins, site.colour, site.key) == (["http://shop.example.com"], "#1f6f5c", "demo")

    def test_site_shows_its_script_tag(self, admin: Client, site: Site, settings):
        settings.PUBLIC_URL = "https://desk.example.com"
        text = admin.get(url(Site, "change", site.pk)).content.decode()
        assert (
            '<script src="https://desk.example.com/widget.js" data-site="demo" async></script>'
            in unescape(text)
        )

    def test_secret_is_made_and_shown_once(self, admin: Client, site: Site):
        page = reverse("admin:accounts_site_identity_secret", args=[site.pk])
        before = site.secrets
        admin.get(page)
        site.refresh_from_db()
        assert site.secrets == before
        answer = admin.post(page)
        shown = re.search(r'id="identity-secret"[^>]*>([^<]+)<', answer.content.decode())
        assert shown
        site.refresh_from_db()
        assert site.secrets == [shown.group(1), *before]
        assert len(shown.group(1)) >= 43
        assert "no-store" in answer["Cache-Control"]
        for again in (admin.get(page), admin.get(url(Site, "change", site.pk))):
            assert shown.group(1) not in again.content.decode()

    def test_secret_is_not_for_agents(self, client: Client, bob: User, site: Site):
        client.force_login(bob)
        before = site.secrets
        assert client.post(reverse("admin:accounts_site_identity_secret", args=[site.pk])).status_code == 302
        site.refresh_from_db()
        assert site.secrets == before


class TestStaff:
    def new(self, **changed: object) -> dict[str, object]:
        return {
            "email": "Erin@Example.com", "name": "Erin", "role": "agent",
            "password1": PASSWORD, "password2": PASSWORD,
        } | changed  # fmt: skip

    def test_staff_is_added_and_can_sign_in(self, admin: Client):
        assert admin.post(url(User, "add"), self.new()).status_code == 302
        erin = User.objects.get(email="erin@example.com")
        assert erin.check_password(PASSWORD)
        assert (erin.role, erin.is_staff, erin.is_superuser) == ("agent", False, False)

    @pytest.mark.parametrize(
        "changed",
        [{"email": "DANA@example.com"}, {"email": "nonsense"}, {"password2": "other"}, {"role": "owner"}],
        ids=repr,
    )
    def test_staff_is_refused_when_something_is_wrong(self, admin: Client, changed):
        assert admin.post(url(User, "add"), self.new(**changed)).status_code == 200
        assert User.objects.count() == 1

    def test_agent_becomes_admin_and_back(self, admin: Client, bob: User):
        page, form = url(User, "change", bob.pk), {"email": bob.email, "name": "Bob", "is_active": "on"}
        admin.post(page, form | {"role": "admin"})
        bob.refresh_from_db()
        assert (bob.is_staff, bob.is_superuser) == (True, True)
        admin.post(page, form | {"role": "agent"})
        bob.refresh_from_db()
        assert (bob.is_staff, bob.is_superuser) == (False, False)

    def test_admin_cannot_lock_themselves_out(self, admin: Client, dana: User):
        page, form = url(User, "change", dana.pk), {"email": dana.email, "name": "Dana"}
        for changed in ({"role": "agent", "is_active": "on"}, {"role": "admin"}):
            answer = admin.post(page, form | changed)
            assert "You cannot take away your own access" in answer.content.decode()
        assert admin.post(url(User, "delete", dana.pk), {"post": "yes"}).status_code == 403
        dana.refresh_from_db()
        assert (dana.role, dana.is_active) == ("admin", True)

    def test_password_is_changed_for_somebody(self, admin: Client, bob: User):
        page = reverse("admin:auth_user_password_change", args=[bob.pk])
        assert admin.get(page).status_code == 200
        new = "another-good-long-password"
        form = {"password1": new, "password2": new, "usable_password": "true"}
        assert admin.post(page, form).status_code == 302
        bob.refresh_from_db()
        assert bob.check_password(new)
