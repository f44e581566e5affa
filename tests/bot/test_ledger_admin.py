"""The books as admins read them, and giving back by hand what is held."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html import unescape
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import allowance, grants, limits, quota, usage
from accounts.grants import Gift
from accounts.models import AuditEntry, Customer, Hold, Limit, Tier, UsageEntry, User, Window
from accounts.quota import Most
from accounts.usage import Bound, CallCharge, Counted
from bot.ledger_admin import age
from bot.models import Conversation, Turn

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client, dana: User) -> Client:
    client.force_login(dana)
    return client


@pytest.fixture
def turn(alice: Customer, free: Tier) -> Turn:
    Limit.objects.create(tier=free, metric="money", period="month", amount=5)
    conversation = Conversation.objects.create(site=alice.site, customer=alice)
    return Turn.objects.create(conversation=conversation)


@pytest.fixture
def call(turn: Turn, alice: Customer) -> CallCharge:
    """Under way: a message and half a dollar are held."""
    call = CallCharge(
        call=uuid4(), turn=turn.id, attempt=1, customer=alice.id, site="demo", tier="free",
        provider="openai", model="gpt-4o-mini", model_class="small", tokens=Counted(1000, 0), exact=False,
    )  # fmt: skip
    most = Most("small", call.model, 1000, 800, Decimal("0.5"))
    usage.begin(call, most, Bound(limits.binding(alice)))
    return call


def page(client: Client, name: str, *args: object) -> str:
    return unescape(client.get(reverse(f"admin:accounts_{name}", args=args)).content.decode())


def held(use: UUID) -> Hold:
    return Hold.objects.get(use=use)


def run(*arguments: str) -> str:
    said = StringIO()
    call_command("holds", *arguments, stdout=said)
    return said.getvalue()


def test_holds_are_shown_with_turn_customer_and_what_they_are_held_in(
    admin: Client, turn: Turn, call: CallCharge
) -> None:
    text = page(admin, "hold_changelist")
    assert "2 held now, the oldest for " in text
    assert " 0 minutes" not in text.replace("\xa0", " ")
    assert "$0.50" in text
    assert "Money a month, their own" in text
    assert reverse("desk:conversation", args=[turn.conversation_id]) in text
    assert ">alice</a>" in text
    turn.conversation.delete()
    Customer.objects.all().delete()
    text = page(admin, "hold_changelist")
    assert "(its text is deleted)" in text
    assert f"{str(call.customer)[:8]} (deleted)" in text


def test_hold_is_released_after_a_yes_and_recorded(admin: Client, alice: Customer, call: CallCharge) -> None:
    address = reverse("admin:accounts_hold_release", args=[held(call.call).pk])
    assert "$0.50: Money a month, their own" in unescape(admin.get(address).content.decode())
    assert held(call.call).state == "held"
    said = unescape(admin.post(address, follow=True).content.decode())
    assert "Released: $0.50." in said
    assert (held(call.call).state, held(call.turn).state) == ("released", "held")
    assert Window.objects.get(rule="money:any:month").held == 0
    [entry] = AuditEntry.objects.filter(action="hold_released")
    assert (entry.actor_name, entry.subject) == ("Dana", f"turn:{call.turn}")
    assert entry.detail["before"] == [f"0.5 money (money:any:month of customer:{alice.id})"]
    # What the call costs in the end is counted all the same.
    usage.end(replace(call, tokens=Counted(1000, 1000)))
    window = Window.objects.get(rule="money:any:month")
    assert window.settled == window.overrun == Decimal("0.00075")


def test_what_was_settled_is_not_released(admin: Client, call: CallCharge) -> None:
    address = reverse("admin:accounts_hold_release", args=[held(call.call).pk])
    usage.end(call)
    assert "Nothing is held any more" in unescape(admin.get(address).content.decode())
    assert "Nothing was released" in unescape(admin.post(address, follow=True).content.decode())
    assert held(call.call).state == "settled"
    assert not AuditEntry.objects.filter(action="hold_released").exists()


def test_agents_release_nothing(client: Client, bob: User, call: CallCharge) -> None:
    client.force_login(bob)
    address = reverse("admin:accounts_hold_release", args=[held(call.call).pk])
    assert client.get(address).status_code == 302
    assert client.post(address).status_code == 302
    assert held(call.call).state == "held"


def test_release_needs_the_pages_own_token(dana: User, call: CallCharge) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(dana)
    address = reverse("admin:accounts_hold_release", args=[held(call.call).pk])
    assert strict.post(address).status_code == 403
    assert held(call.call).state == "held"


def test_command_shows_and_releases_what_is_held(alice: Customer, call: CallCharge) -> None:
    assert f"use {call.call}" in run()
    assert "2 held." in run("--older", "0")
    assert "Nothing is held." in run("--older", "5")
    assert "0 released" in run("--release-older", "5")
    assert "1 released" in run("--release", str(call.call))
    assert (held(call.call).state, held(call.turn).state) == ("released", "held")
    with pytest.raises(CommandError, match="holds nothing"):
        run("--release", str(call.call))
    assert "1 released" in run("--release-older", "0")
    assert allowance.of(alice).limits[0].used == 0
    assert [entry.actor for entry in AuditEntry.objects.filter(action="hold_released")] == ["system"] * 2


def test_entry_says_its_tokens_and_what_it_was_charged_by(admin: Client, call: CallCharge) -> None:
    usage.end(replace(call, tokens=Counted(1000, 300, 400, 100), exact=True))
    text = page(admin, "usageentry_changelist")
    assert "1,000 (400 cached) / 300" in text
    assert "$0.0003" in text
    text = page(admin, "usageentry_change", UsageEntry.objects.get().pk)
    assert "$0.15 fresh, $0.075 cached, $0.6 written" in text
    assert "the public list prices of that moment" in text


def test_sums_are_those_of_the_filter(admin: Client, call: CallCharge) -> None:
    usage.end(replace(call, tokens=Counted(1000, 300)))
    usage.end(replace(call, call=uuid4(), model="own-7b", tokens=Counted(50, 5)))
    address = reverse("admin:accounts_usageentry_changelist")
    sums = admin.get(address).context_data["sums"]
    assert (sums["calls"], sums["input_tokens"], sums["cost"], sums["priced"]) == (2, 1050, "0.00033", 1)
    assert "of 1 call with a known price" in unescape(admin.get(address).content.decode())
    sums = admin.get(address, {"model": "own-7b"}).context_data["sums"]
    assert (sums["calls"], sums["cost"]) == (1, "0")


def test_window_says_in_words_what_it_counts(admin: Client, alice: Customer) -> None:
    quota.hold(uuid4(), alice, seconds=60)
    text = page(admin, "window_changelist")
    assert "Messages a day" in text
    assert ">alice</a>" in text
    text = page(admin, "window_change", Window.objects.get().pk)
    assert "0 messages used, and 1 message held for answers under way" in text


def test_windows_say_in_words_whom_they_count(admin: Client) -> None:
    for subject in ("deployment", "site:demo", "tier:free", "address:327a90bc55", "address:5:41cc90bc55"):
        Window.objects.create(
            rule="messages:any:day", subject=subject, number=0, starts_at="2026-01-01T00:00Z",
            ends_at="2026-01-02T00:00Z", settled=1,
        )  # fmt: skip
    text = page(admin, "window_changelist")
    for said in ("The deployment", "Site demo", "Tier free", "Network address 327a90bc<",
                 "Network address 41cc90bc, at one site<"):  # fmt: skip
        assert said in text
    assert text.count("1 message<") == 5


def test_grants_name_their_customers_and_times_as_the_books_do(
    admin: Client, alice: Customer, bob: User
) -> None:
    ends = (timezone.now() + timedelta(days=2)).replace(hour=0, minute=0)
    grant = grants.give(alice, Gift("extra", "messages", "", Decimal(1), ends), "The parcel came late", bob)
    for text in (page(admin, "grant_changelist"), page(admin, "grant_change", grant.pk)):
        assert ">alice</a>" in text
        assert f"{ends:%Y-%m-%d} 00:00" in text
        assert f"{grant.created_at:%Y-%m-%d %H:%M}" in text
        assert "midnight" not in text
        assert "1 message<" in text
    Customer.objects.all().delete()
    assert f"{str(grant.customer)[:8]} (deleted)" in page(admin, "grant_changelist")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 seconds"), (1, "1 second"), (59, "59 seconds"), (61, "1 minute")]
)
def test_young_holds_are_so_many_seconds_old(seconds: int, said: str) -> None:
    assert age(timezone.now() - timedelta(seconds=seconds)).replace("\xa0", " ") == said
