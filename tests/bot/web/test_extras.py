"""The desk's door to a customer's allowance: who may give more of it, how much, and who learns of it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from limits import RateLimitItemPerMinute

from accounts import allowance, audit, spending
from accounts.models import AuditEntry, Customer, Grant, Limit, Tier, User
from bot import events
from bot.desk.summary import summarise
from bot.models import Conversation
from bot.web import rates
from tests.bot.web.conftest import signed_in

pytestmark = pytest.mark.django_db
GIFT = {"messages": "5", "days": "7", "reason": "The parcel came late"}


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    """What other tests have used up does not count."""
    rates._limiter().forget()


def give(client: Client, conversation: Conversation, **changed: str) -> Any:
    return client.post(f"/desk/conversations/{conversation.id}/extra", GIFT | changed)


def test_agent_gives_extra_messages_and_the_tabs_learn_of_it(
    desk: Client, conversation: Conversation, alice: Customer, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(events, "allowance_changed", told.append)
    Limit.objects.update(amount=0)
    assert allowance.of(alice).exhausted

    answer = give(desk, conversation)

    assert (answer.status_code, answer.content.decode()) == (200, "Given. The customer can go on.")
    grant = Grant.objects.get()
    assert (grant.customer, grant.kind, grant.metric, grant.amount) == (alice.id, "extra", "messages", 5)
    assert timedelta(days=6.9) < grant.expires_at - timezone.now() <= timedelta(days=7)
    assert not allowance.of(alice).exhausted
    assert told == [conversation.id]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name, audit.reason(entry)) == ("grant_given", "Bob", GIFT["reason"])


def test_without_days_it_lasts_until_the_window_ends(desk: Client, conversation: Conversation) -> None:
    assert give(desk, conversation, days="0").status_code == 200
    ends = Grant.objects.get().expires_at
    assert (ends.hour, ends.minute, ends > timezone.now()) == (0, 0, True)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"messages": "0"}, "1 to 50"),
        ({"messages": "51"}, "1 to 50"),
        ({"messages": "-3"}, "1 to 50"),
        ({"messages": "５"}, "1 to 50"),
        ({"messages": ""}, "1 to 50"),
        ({"days": "32"}, "31 days"),
        ({"days": "x"}, "31 days"),
        ({"reason": " ok "}, "reason"),
        ({"reason": "x" * 201}, "reason"),
    ],
    ids=str,
)
def test_agent_cannot_give_more_or_without_reason(
    desk: Client, conversation: Conversation, changed: dict[str, str], why: str
) -> None:
    answer = give(desk, conversation, **changed)
    assert (answer.status_code, why in answer.content.decode()) == (400, True)
    assert not Grant.objects.exists()
    assert not AuditEntry.objects.exists()


def test_giving_wants_a_post_a_session_and_a_csrf_token(
    client: Client, bob: User, conversation: Conversation
) -> None:
    address = f"/desk/conversations/{conversation.id}/extra"
    assert give(client, conversation).status_code == 302
    assert client.post(address, GIFT, headers={"HX-Request": "true"}).status_code == 401
    strict = signed_in(bob, enforce_csrf_checks=True)
    assert give(strict, conversation).status_code == 403
    assert strict.get(address, GIFT).status_code == 405
    assert not Grant.objects.exists()


def test_nothing_is_given_in_a_conversation_that_is_unknown_or_forgotten(
    desk: Client, conversation: Conversation
) -> None:
    assert desk.post(f"/desk/conversations/{uuid4()}/extra", GIFT).status_code == 404
    Conversation.objects.update(forgotten_at=timezone.now())
    assert give(desk, conversation).status_code == 404
    assert desk.get(f"/desk/conversations/{conversation.id}/allowance").status_code == 404
    assert not Grant.objects.exists()


def test_giving_is_slowed_down(
    desk: Client, conversation: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "EXTRAS", (RateLimitItemPerMinute(2),))
    assert [give(desk, conversation).status_code for _ in range(3)] == [200, 200, 429]
    assert Grant.objects.count() == 2


def test_panel_shows_limits_and_grants_and_never_money(
    desk: Client, client: Client, conversation: Conversation, free: Tier
) -> None:
    address = f"/desk/conversations/{conversation.id}/allowance"
    assert client.get(address).status_code == 302
    Limit.objects.create(tier=free, metric="money", period="month", amount=77)
    give(desk, conversation)
    html = desk.get(address).content.decode()
    assert "Messages today" in html
    assert "0 of 10 used" in html
    assert "Extra messages" in html
    assert "77" not in html
    assert "data-extra=" in html
    Limit.objects.all().delete()
    Grant.objects.all().delete()
    html = desk.get(address).content.decode()
    assert "No limit" in html
    assert "data-extra=" not in html


@pytest.mark.parametrize("limited", [True, False])
def test_while_spending_is_stopped_nothing_is_said_to_be_used_up_or_promised(
    desk: Client, conversation: Conversation, limited: bool
) -> None:
    address = f"/desk/conversations/{conversation.id}/allowance"
    Limit.objects.update(amount=0) if limited else Limit.objects.all().delete()
    spending.stop(None, "The bill is too high")
    html = desk.get(address).content.decode()
    assert "All spending is stopped" in html
    assert "Used up" not in html
    assert "No limit" not in html
    assert (
        give(desk, conversation).content.decode() == "Given. It can be used once spending is allowed again."
    )
    spending.allow(None)
    assert "All spending is stopped" not in desk.get(address).content.decode()
    assert give(desk, conversation).content.decode() == "Given. The customer can go on."


def test_summary_names_the_tier_in_force(
    conversation: Conversation, alice: Customer, vip: Tier, bob: User
) -> None:
    alice.tier, alice.tier_until = vip, timezone.now() + timedelta(hours=1)
    conversation.customer = alice
    assert summarise(bob, conversation).tier == "VIP"
    alice.tier_until = timezone.now()
    assert summarise(bob, conversation).tier == "Free"
