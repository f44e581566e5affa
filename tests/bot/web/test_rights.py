"""The doors to a customer's copy and its end: whom they let in, what they answer, what they record."""

from typing import Any
from uuid import uuid4

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client
from django.urls import reverse
from limits import RateLimitItemPerDay, RateLimitItemPerHour

from accounts import audit, identity
from accounts.models import AuditEntry, Customer, Site, User
from bot.models import Conversation, Message
from bot.rights import erasure
from bot.web import rates
from tests.bot.conftest import Connect
from tests.bot.web.conftest import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for name in client.scan_iter("fd:rates*"):
            client.delete(name)


@pytest.fixture
def alice(site: Site) -> Customer:
    return identity.verified(site, identity.Identity("alice", "alice@example.com", "Alice Moss", None))


@pytest.fixture
def said(conversation: Conversation) -> Conversation:
    conversation.messages.create(author="system", masked="Welcome aboard")
    return conversation


@pytest.fixture
def staff(client: Client, bob: User) -> Client:
    """Bob, who may reveal."""
    User.objects.filter(pk=bob.pk).update(may_reveal=True)
    client.force_login(bob)
    return client


def bearer(customer: Customer) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {identity.issue(customer)}"}}


def widget(form: str = "") -> str:
    kwargs = {"site": "demo", "form": form} if form else {"site": "demo"}
    return reverse("widget-data", kwargs=kwargs)


def test_addresses_are_the_ones_promised() -> None:
    customer = uuid4()
    assert widget() == "/widget/demo/data"
    assert widget("json") == "/widget/demo/data.json"
    assert export_of(customer) == f"/desk/customers/{customer}/data.json"
    assert reverse("desk-erase", args=[customer]) == f"/desk/customers/{customer}/erase"


def test_a_customer_gets_a_copy_as_a_file(client: Client, alice: Customer, said: Conversation) -> None:
    answer = client.get(widget("json"), **bearer(alice))
    assert answer.status_code == 200
    assert answer.json()["customer"]["email"] == "alice@example.com"
    assert answer.json()["conversations"][0]["messages"][0]["text"] == "Welcome aboard"
    assert answer["Content-Disposition"] == 'attachment; filename="demo-data.json"'
    assert "no-store" in answer["Cache-Control"]
    page = client.get(widget("html"), **bearer(alice))
    assert page["Content-Type"].startswith("text/html")
    assert "sandbox" in page["Content-Security-Policy"]
    assert "script-src" not in page["Content-Security-Policy"]
    assert "Alice Moss" in page.content.decode()
    assert client.get(widget("xml"), **bearer(alice)).status_code == 404
    first = AuditEntry.objects.order_by("number")[0]
    assert (first.actor, first.action) == (f"customer:{alice.id}", "export")


def test_a_customer_has_everything_deleted(alice: Customer, said: Conversation) -> None:
    # As strict as a browser's request would be met.
    client, mine = Client(enforce_csrf_checks=True), bearer(alice)
    assert client.delete(widget(), **mine).status_code == 204
    alice.refresh_from_db()
    assert alice.erased_at
    assert not Message.objects.exists()
    # The token has died with it.
    assert client.get(widget("json"), **mine).status_code == 401


def test_nobody_gets_in_without_a_good_token(client: Client, alice: Customer, said: Conversation) -> None:
    good = identity.issue(alice)
    for header in ("", good, f"Basic {good}", f"Bearer {good}x", "Bearer"):
        for do, address in ((client.get, widget("json")), (client.delete, widget())):
            answer = do(address, headers={"Authorization": header})
            assert (answer.status_code, answer.json()) == (401, {"code": "unauthorized"})
    elsewhere = Site.objects.create(key="other", name="Other", default_tier=alice.site.default_tier)
    assert client.get(f"/widget/{elsewhere.key}/data.json", **bearer(alice)).status_code == 401
    assert client.get("/widget/none/data.json", **bearer(alice)).status_code == 404
    assert client.post(widget(), **bearer(alice)).status_code == 405
    assert Message.objects.exists()
    assert not AuditEntry.objects.exists()


def test_anonymous_visitors_get_nothing(client: Client, site: Site) -> None:
    visitor = identity.anonymous(site, "en", "a" * 32)
    for answer in (client.get(widget("json"), **bearer(visitor)), client.delete(widget(), **bearer(visitor))):
        assert (answer.status_code, answer.json()) == (403, {"code": "not_verified"})


def test_who_asks_again_and_again_has_to_wait(
    client: Client, alice: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "COPIES", RateLimitItemPerHour(2))
    for _ in range(2):
        assert client.get(widget("json"), **bearer(alice)).status_code == 200
    refused = client.get(widget("json"), **bearer(alice))
    assert refused.status_code == 429
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["retry_at"]


def export_of(customer: object, form: str = "json") -> str:
    return reverse("desk-export", kwargs={"customer_id": customer, "form": form})


def test_staff_with_the_right_export_for_a_reason(staff: Client, alice: Customer, bob: User) -> None:
    answer = staff.post(export_of(alice.id), {"reason": "letter of 3 May"})
    assert answer.json()["customer"]["name"] == "Alice Moss"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.subject) == (f"staff:{bob.pk}", f"customer:{alice.id}")
    assert audit.reason(entry) == "letter of 3 May"
    # No link takes a copy, and no reason stands in an address.
    assert staff.get(export_of(alice.id), {"reason": "letter of 3 May"}).status_code == 405
    assert staff.post(f"{export_of(alice.id)}?reason=letter+of+3+May").status_code == 400
    for reason in ("", " why ", "x" * 201):
        refused = staff.post(export_of(alice.id), {"reason": reason})
        assert refused.status_code == 400
        assert refused["Content-Type"].startswith("text/plain")
    assert staff.post(export_of(uuid4()), {"reason": "letter of 3 May"}).status_code == 404
    assert AuditEntry.objects.count() == 1


def test_staff_take_and_erase_only_so_many_a_day(
    staff: Client, alice: Customer, dana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {limit.get_expiry() for limit in rates.STAFF_COPIES} == {3600, 86400}
    monkeypatch.setattr(rates, "STAFF_COPIES", (RateLimitItemPerHour(9), RateLimitItemPerDay(2)))
    facts = {"reason": "letter of 3 May", "confirm": "alice"}
    assert [staff.post(export_of(alice.id), facts).status_code for _ in range(3)] == [200, 200, 429]
    assert staff.post(reverse("desk-erase", args=[alice.id]), facts).status_code == 429
    alice.refresh_from_db()
    assert not alice.erased_at
    staff.force_login(dana)
    assert staff.post(export_of(alice.id), facts).status_code == 200


def test_staff_with_the_right_erase_whom_they_name(
    staff: Client, alice: Customer, said: Conversation
) -> None:
    address = reverse("desk-erase", args=[alice.id])
    wrong = staff.post(address, {"reason": "letter of 3 May", "confirm": "carol"})
    assert wrong.status_code == 400
    assert "alice" in wrong.content.decode()
    assert staff.post(address, {"reason": "", "confirm": "alice"}).status_code == 400
    assert staff.get(address).status_code == 405
    assert Message.objects.exists()

    answer = staff.post(address, {"reason": "letter of 3 May", "confirm": "alice"})

    assert (answer.status_code, answer["Location"]) == (303, "/desk/")
    assert "alice" in staff.get("/desk/").content.decode()
    assert not Message.objects.exists()
    assert [entry.action for entry in AuditEntry.objects.all()] == ["erase"]


def test_a_visitor_is_erased_by_the_number_the_desk_shows(staff: Client, site: Site) -> None:
    visitor = identity.anonymous(site, "en", "a" * 32)
    facts = {"reason": "letter of 3 May", "confirm": visitor.id.hex[:6]}
    assert staff.post(reverse("desk-erase", args=[visitor.id]), facts).status_code == 303
    visitor.refresh_from_db()
    assert (visitor.address, bool(visitor.erased_at)) == ("", True)


def test_staff_without_the_right_are_refused(client: Client, bob: User, dana: User, alice: Customer) -> None:
    reason = {"reason": "letter of 3 May", "confirm": "alice"}
    erase = reverse("desk-erase", args=[alice.id])
    assert client.post(export_of(alice.id), reason).status_code == 302
    client.force_login(bob)
    assert client.post(export_of(alice.id), reason).status_code == 403
    assert client.post(erase, reason).status_code == 403
    assert not AuditEntry.objects.exists()
    client.force_login(dana)
    assert client.post(export_of(alice.id), reason).status_code == 200
    strict = signed_in(dana, enforce_csrf_checks=True)
    for address in (erase, export_of(alice.id)):
        assert strict.post(address, reason).status_code == 403


@pytest.mark.django_db(transaction=True)
async def test_open_tabs_of_an_erased_customer_are_sent_away(tab: Connect) -> None:
    async with tab("alice") as first, tab("alice") as second, tab("carol") as carol:
        token = first.frames[0]["token"]
        alice = await sync_to_async(identity.read_session)(await Site.objects.aget(), token)
        await sync_to_async(erasure.erase)(alice, alice, "")
        assert await first.closed() == 4401
        assert await second.closed() == 4401
        await carol.send("ping")
        await carol.until("pong")
    async with tab(token=token, hello=False) as again:
        await again.send("hello", token=token)
        assert await again.closed() == 4401
