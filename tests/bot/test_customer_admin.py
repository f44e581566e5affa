"""The admin's page of a customer: what is used, what is given and withdrawn, a tier for a while."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts import audit, grants, quota
from accounts.grants import Gift
from accounts.models import AuditEntry, Customer, Grant, Limit, Tier, User

pytestmark = pytest.mark.django_db
REASON = "Paid by transfer"


@pytest.fixture
def admin(client: Client, dana: User) -> Client:
    client.force_login(dana)
    return client


def page(customer: Customer) -> str:
    return f"/admin/accounts/customer/{customer.pk}/change/"


def giving(customer: Customer, kind: str) -> str:
    return f"/admin/accounts/customer/{customer.pk}/give/{kind}/"


def gift(**changed: str) -> dict[str, str]:
    ends = (timezone.now() + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M")
    return {
        "amount": "20", "metric": "money", "model_class": "", "expires_at": ends, "reason": REASON
    } | changed  # fmt: skip


@pytest.fixture
def given(alice: Customer, bob: User) -> Grant:
    ends = timezone.now() + timedelta(days=2)
    return grants.give(alice, Gift("extra", "messages", "", Decimal(5), ends), "The parcel came late", bob)


def test_page_shows_limits_with_what_is_used_and_held(admin: Client, alice: Customer, free: Tier) -> None:
    Limit.objects.create(tier=free, metric="money", period="month", amount=20)
    Limit.objects.create(scope="deployment", metric="money", period="month", amount=500)
    use = uuid4()
    for one in (use, uuid4()):
        quota.hold(one, alice, seconds=60)
    quota.settle(use)
    html = admin.get(page(alice)).content.decode()
    assert "<b>1</b> of 10 used (20% with what is held), and 1 held" in html
    assert "<b>$0</b> of $20 used" in html
    assert "Shared with others" in html
    assert "of $500 used" in html
    assert "Nothing was given yet." in html


def test_page_of_a_customer_without_limits_says_so(admin: Client, victor: Customer) -> None:
    assert "as much as they like" in admin.get(page(victor)).content.decode()


def test_credit_is_given_with_reason_and_recorded(admin: Client, alice: Customer) -> None:
    form = admin.get(giving(alice, "credit")).content.decode()
    assert '<option value="money" selected>US dollars</option>' in form
    answer = admin.post(giving(alice, "credit"), gift(), follow=True)
    html = answer.content.decode()
    assert answer.redirect_chain == [(page(alice), 302)]
    assert "$20" in html
    assert REASON in html
    grant = Grant.objects.get()
    assert (grant.customer, grant.kind, grant.amount, grant.given_by) == (alice.pk, "credit", 20, "Dana")
    entry = AuditEntry.objects.get()
    assert (entry.action, audit.reason(entry)) == ("grant_given", REASON)


@pytest.mark.parametrize(
    ("kind", "wrong", "why"),
    [
        ("credit", {"amount": "0"}, "more than nothing"),
        ("credit", {"expires_at": "2099-01-01T00:00"}, "two years"),
        ("credit", {"reason": "ok"}, "at least 5"),
        ("extra", {"metric": "money"}, "Select a valid choice"),
    ],
    ids=str,
)
def test_wrong_grant_is_refused_with_a_sentence(
    admin: Client, alice: Customer, kind: str, wrong: dict[str, str], why: str
) -> None:
    answer = admin.post(giving(alice, kind), gift(**wrong))
    assert (answer.status_code, why in answer.content.decode()) == (200, True)
    assert not Grant.objects.exists()


def test_extra_is_offered_until_the_window_ends(admin: Client, alice: Customer) -> None:
    html = admin.get(giving(alice, "extra")).content.decode()
    assert '<option value="messages" selected>messages</option>' in html
    assert "money" not in html
    assert f'value="{grants.end_of_window(alice):%Y-%m-%dT%H:%M}"' in html
    assert admin.get(giving(alice, "gift")).status_code == 404


def test_grant_is_withdrawn_once(admin: Client, alice: Customer, given: Grant) -> None:
    address = f"/admin/accounts/customer/grants/{given.pk}/withdraw/"
    assert address in admin.get(page(alice)).content.decode()
    assert "5 messages" in admin.get(address).content.decode()
    assert admin.post(address, {"reason": "no"}).status_code == 200
    for _ in range(2):
        assert admin.post(address, {"reason": "Given by mistake"}).status_code == 302
    assert [entry.action for entry in AuditEntry.objects.order_by("number")] == [
        "grant_given",
        "grant_withdrawn",
    ]
    given.refresh_from_db()
    assert grants.left(given) == 0


def test_tier_for_a_while_wants_an_end_to_come_and_a_reason(
    admin: Client, alice: Customer, vip: Tier
) -> None:
    soon = (timezone.now() + timedelta(days=7)).strftime("%Y-%m-%dT%H:%M")
    for wrong in ({"reason": ""}, {"reason": REASON, "tier_until": "2020-01-01T00:00"}):
        answer = admin.post(page(alice), {"tier": vip.pk, "tier_until": soon, **wrong})
        assert answer.status_code == 200
    assert not AuditEntry.objects.exists()
    assert admin.post(page(alice), {"tier": vip.pk, "tier_until": soon, "reason": REASON}).status_code == 302
    alice.refresh_from_db()
    assert alice.effective_tier == vip
    entry = AuditEntry.objects.get()
    assert (entry.action, audit.reason(entry)) == ("customer_changed", REASON)
    assert entry.detail["before"] == {"tier": None, "tier_until": None}
    assert entry.detail["after"]["tier"] == "VIP"

    Customer.objects.update(tier_until=timezone.now())
    # Whoever takes the tier away leaves its end standing in its field.
    assert admin.post(page(alice), {"tier": "", "tier_until": soon}).status_code == 302
    alice.refresh_from_db()
    assert (alice.tier, alice.tier_until) == (None, None)


@pytest.mark.parametrize("without", ["tier_until", "reason"])
def test_end_or_reason_without_a_tier_is_refused(admin: Client, alice: Customer, without: str) -> None:
    said = {"tier_until": "2027-01-01T00:00", "reason": REASON, without: ""}
    answer = admin.post(page(alice), {"tier": "", **said})
    assert "Choose the tier" in answer.content.decode()
    assert not AuditEntry.objects.exists()


def test_list_of_grants_is_filtered_and_read_only(admin: Client, alice: Customer, given: Grant) -> None:
    address = "/admin/accounts/grant/"
    assert "5 messages" in admin.get(address, {"state": "in-force"}).content.decode()
    assert "5 messages" not in admin.get(address, {"state": "over"}).content.decode()
    assert "5 messages" not in admin.get(address, {"kind": "credit"}).content.decode()
    assert "5 messages" in admin.get(address, {"q": str(alice.pk)}).content.decode()
    assert admin.get(f"{address}{given.pk}/change/").status_code == 200
    assert admin.post(f"{address}{given.pk}/change/", {"amount": 9}).status_code == 403
    assert admin.get(f"{address}add/").status_code == 403


def test_agent_gives_and_withdraws_nothing_here(
    client: Client, bob: User, alice: Customer, given: Grant
) -> None:
    client.force_login(bob)
    withdrawing = f"/admin/accounts/customer/grants/{given.pk}/withdraw/"
    for address in (page(alice), giving(alice, "credit"), withdrawing, "/admin/accounts/grant/"):
        assert client.get(address).status_code == 302
    client.post(giving(alice, "credit"), gift())
    client.post(withdrawing, {"reason": "Given by mistake"})
    given.refresh_from_db()
    assert (Grant.objects.count(), given.withdrawn_at) == (1, None)


def test_giving_wants_a_csrf_token(dana: User, alice: Customer) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(dana)
    assert strict.post(giving(alice, "credit"), gift()).status_code == 403
    assert not Grant.objects.exists()
