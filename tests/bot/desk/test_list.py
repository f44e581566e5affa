"""The list: who waits comes first, nobody's name is shown, and it costs few queries."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import identity
from accounts.models import Customer, Site, User
from bot.desk import inbox
from bot.models import Conversation, Message

Say = Callable[..., Message]

pytestmark = pytest.mark.django_db


@pytest.fixture
def four(site: Site, alice: Customer, carol: Customer, victor: Customer, bob: User) -> list[str]:
    """alice talks to the bot, carol and a visitor wait (the visitor longer), victor is with Bob."""
    now = timezone.now()
    visitor = Customer.objects.create(site=site)
    talk = Conversation.objects.create(site=site, customer=alice)
    Message.objects.create(conversation=talk, author="customer", masked="Hello")
    Conversation.objects.create(site=site, customer=carol, handler="queue", waiting_since=now)
    Conversation.objects.create(
        site=site, customer=visitor, handler="queue", waiting_since=now - timedelta(minutes=9)
    )
    Conversation.objects.create(site=site, customer=victor, handler="person", agent=bob)
    return [visitor.id.hex[:6], "carol", "victor", "alice"]


def test_list_puts_who_waits_longest_first(bob: User, four: list[str]) -> None:
    found = inbox.read(bob)
    assert [row.about.customer for row in found.rows] == four
    assert found.counts == inbox.Counts(open=4, waiting=2, mine=1)


def test_list_leaves_out_who_only_opened_the_widget(site: Site, alice: Customer, bob: User) -> None:
    silent = Conversation.objects.create(site=site, customer=alice)
    assert inbox.read(bob).rows == []
    assert inbox.counts(bob).open == 0
    Message.objects.create(conversation=silent, author="customer", masked="Hello")
    assert inbox.counts(bob).open == len(inbox.read(bob).rows) == 1


@pytest.mark.parametrize(
    ("view", "places"), [("waiting", [0, 1]), ("mine", [2]), ("closed", []), ("all", [0, 1, 2, 3])]
)
def test_list_shows_one_view(bob: User, four: list[str], view: str, places: list[int]) -> None:
    assert [row.about.customer for row in inbox.read(bob, view).rows] == [four[at] for at in places]


def test_list_finds_customers_by_their_id_and_visitors_by_its_beginning(bob: User, four: list[str]) -> None:
    for term in ("carol", "carol "):
        assert [row.about.customer for row in inbox.read(bob, "all", term).rows] == ["carol"]
    for term in (four[0], f"visitor {four[0]}", f"Visitor {four[0][:3]}"):
        assert [row.about.customer for row in inbox.read(bob, "all", term).rows] == [four[0]]
    assert inbox.read(bob, "all", "%").rows == inbox.read(bob, "all", "car").rows == []
    assert inbox.read(bob, "all", "nobody").rows == []


def test_list_shows_the_last_line_masked_and_who_needs_a_reply(bob: User, four: list[str], say: Say) -> None:
    victors = Conversation.objects.get(customer__sub_digest=identity.sub_digest("victor"))
    say(victors, "Hello <PERSON_1>", "Hello Victor", author="agent")
    row = _row(inbox.read(bob), "victor")
    assert row.last is not None
    assert (row.last.author, row.last.text, row.needs_reply) == ("agent", "Hello <PERSON_1>", False)
    say(victors, None, "I am at victor@example.com")
    row = _row(inbox.read(bob), "victor")
    assert row.last is not None
    assert (row.last.text, row.needs_reply) == (None, True)


def test_list_is_paged(bob: User, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "PAGE", 2)
    for _ in range(3):
        Conversation.objects.create(site=site, customer=Customer.objects.create(site=site), handler="queue")
    first, both = inbox.read(bob), inbox.read(bob, pages=2)
    assert (len(first.rows), first.more) == (2, True)
    assert (len(both.rows), both.more) == (3, False)


def test_list_takes_two_queries_however_long_it_is(
    bob: User, four: list[str], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        rows = inbox.read(bob).rows
    assert rows[0].about.tier == "Free"


def _row(found: inbox.Inbox, customer: str) -> inbox.Row:
    return next(row for row in found.rows if row.about.customer == customer)
