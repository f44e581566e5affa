"""The desk's door to private values, and its search: who may, how often, and what is left in addresses."""

import logging
from typing import Any
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from limits import RateLimitItemPerMinute

from accounts import identity, lookups
from accounts.models import AuditEntry, Customer, User
from bot.models import Conversation
from bot.privacy.vault import Vault
from bot.web import rates
from tests.bot.web.conftest import signed_in

pytestmark = pytest.mark.django_db
PHONE = "0151 2345678"
REASON = "To call about a late parcel"


@pytest.fixture(autouse=True)
def fresh_counts(settings: Any) -> None:
    """What other tests have used up does not count."""
    rates._limiter().forget()


@pytest.fixture
def conversation(conversation: Conversation) -> Conversation:
    """Alice has told her number."""
    Vault(conversation.id, conversation.data_key).placeholder("PHONE", PHONE)
    facts = {"author": "customer", "sealed": Fernet(conversation.data_key).encrypt(f"Call {PHONE}".encode())}
    conversation.messages.create(**facts, masked="Call <PHONE_1>")
    conversation.messages.create(**facts, masked="Hello")
    return conversation


def reveal(client: Client, conversation: Conversation, **form: str) -> Any:
    return client.post(f"/desk/conversations/{conversation.id}/reveal", form, headers={"HX-Request": "true"})


def test_reveal_answers_with_the_value_and_is_kept_by_nobody(
    danas_desk: Client, conversation: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    value = reveal(danas_desk, conversation, placeholder="<PHONE_1>", reason=REASON)
    message = conversation.messages.get(masked="Call <PHONE_1>")
    whole = reveal(danas_desk, conversation, message=str(message.uuid), reason=REASON)

    assert (value.status_code, value.json()) == (200, {"text": PHONE})
    assert (whole.status_code, whole.json()) == (200, {"text": f"Call {PHONE}"})
    assert "no-store" in value["Cache-Control"]
    assert AuditEntry.objects.count() == 2
    assert PHONE not in caplog.text
    assert REASON not in caplog.text


def test_reveal_says_what_is_missing(danas_desk: Client, desk: Client, conversation: Conversation) -> None:
    no_right = reveal(desk, conversation, placeholder="<PHONE_1>", reason=REASON)
    no_reason = reveal(danas_desk, conversation, placeholder="<PHONE_1>", reason="ok")

    assert (no_right.status_code, "An admin can" in no_right.json()["problem"]) == (403, True)
    assert (no_reason.status_code, "5 to 200" in no_reason.json()["problem"]) == (400, True)
    for form in ({"placeholder": "<PHONE_2>"}, {"message": str(uuid4())}, {"message": "1"}, {}):
        assert reveal(danas_desk, conversation, reason=REASON, **form).status_code == 404
    strange = danas_desk.post(
        f"/desk/conversations/{uuid4()}/reveal", {"placeholder": "<PHONE_1>", "reason": REASON}
    )
    assert strange.status_code == 404
    assert not AuditEntry.objects.exists()


def test_reveal_wants_a_post_a_session_and_a_csrf_token(
    client: Client, dana: User, conversation: Conversation
) -> None:
    form = {"placeholder": "<PHONE_1>", "reason": REASON}
    assert reveal(client, conversation, **form).status_code == 401
    strict = signed_in(dana, enforce_csrf_checks=True)
    assert reveal(strict, conversation, **form).status_code == 403
    assert strict.get(f"/desk/conversations/{conversation.id}/reveal", form).status_code == 405
    assert not AuditEntry.objects.exists()


def test_reveal_is_slowed_down(
    danas_desk: Client, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "REVEALS", (RateLimitItemPerMinute(2),))
    form = {"placeholder": "<PHONE_1>", "reason": REASON}
    statuses = [reveal(danas_desk, conversation, **form).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert AuditEntry.objects.count() == 2


def test_pages_offer_to_reveal_only_to_who_may(
    desk: Client, danas_desk: Client, conversation: Conversation
) -> None:
    for client, offered in ((danas_desk, True), (desk, False)):
        html = client.get(f"/desk/{conversation.id}/").content.decode()
        assert ("data-reveal=" in html) is offered
        assert html.count("data-reveal-message=") == (1 if offered else 0)
        assert 'data-kind="PHONE" data-number="1"' in html
        assert PHONE not in html


def test_details_tell_who_has_seen_what(desk: Client, danas_desk: Client, conversation: Conversation) -> None:
    reveal(danas_desk, conversation, placeholder="<PHONE_1>", reason=f"{REASON} <b>")
    address = f"/desk/conversations/{conversation.id}/revealed"

    assert desk.get(address).status_code == 403
    html = danas_desk.get(address).content.decode()
    assert "Dana" in html
    assert f"Phone 1: {REASON} &lt;b&gt;" in html


@pytest.fixture
def found(alice: Customer, conversation: Conversation) -> Customer:
    lookups.remember(alice, conversation.id, [("phone", PHONE), ("order", "HP-10423")])
    lookups.remember(alice, None, [("email", "alice@example.com")])
    return alice


def search(client: Client, term: str, view: str = "open") -> Any:
    return client.post("/desk/list/", {"q": term, "view": view}, headers={"HX-Request": "true"})


def test_search_finds_a_customer_by_what_is_known_exactly(
    desk: Client, found: Customer, conversation: Conversation
) -> None:
    for term in ("Alice@example.com", "+49 151 2345678", "#hp-10423", "alice"):
        assert str(conversation.id) in search(desk, term, "mine").content.decode(), term
    assert str(conversation.id) in desk.post("/desk/", {"q": PHONE}).content.decode()


def test_search_says_that_it_wants_an_exact_match(desk: Client, found: Customer) -> None:
    for term in ("alice@example.co", "0151 234567", "HP-1042", "<script>"):
        html = search(desk, term).content.decode()
        assert "Nobody found" in html, term
        assert "match exactly" in html


def test_search_is_never_taken_from_an_address(
    desk: Client, found: Customer, carol: Customer, conversation: Conversation
) -> None:
    html = desk.get("/desk/list/?q=carol").content.decode()
    assert str(conversation.id) in html
    page = desk.get("/desk/").content.decode()
    assert '<form class="search" role="search" method="post"' in page


def test_search_wants_a_csrf_token(bob: User, found: Customer) -> None:
    strict = signed_in(bob, enforce_csrf_checks=True)
    assert search(strict, "alice").status_code == 403


def test_search_is_slowed_down_for_new_terms_only(
    desk: Client, danas_desk: Client, found: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "SEARCHES", (RateLimitItemPerMinute(2),))
    assert [search(desk, PHONE).status_code for _ in range(3)] == [200] * 3
    assert [search(desk, term).status_code for term in ("alice", "0151 2", "0151 2", PHONE)] == [
        *(200, 429, 429, 200)
    ]
    refused = search(desk, "0151 3").content.decode()
    assert "Too many searches" in refused
    assert "Alice" not in refused
    assert search(danas_desk, "0151 2").status_code == 200


def test_search_finds_a_customer_by_the_short_number_staff_see(
    desk: Client, alice: Customer, conversation: Conversation
) -> None:
    hidden = identity.known_as(alice.site, "somebody@example.com")
    theirs = Conversation.objects.create(site=alice.site, customer=hidden, handler="queue")

    html = search(desk, hidden.label).content.decode()

    assert str(theirs.id) in html
    assert str(conversation.id) not in html
