"""What the pages say of a customer's rights: in the widget's frame, and in the desk."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Customer, Site, User
from bot.models import Conversation
from tests.bot.web.conftest import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(conversation: Conversation) -> Conversation:
    conversation.messages.create(author="customer", sealed=b"", masked="Where is it?")
    return conversation


@pytest.fixture
def forgotten(conversation: Conversation) -> Conversation:
    now = timezone.now()
    conversation.messages.all().delete()
    conversation.wrapped_key, conversation.closed_at, conversation.forgotten_at = b"", now, now
    conversation.save()
    return conversation


def shown(staff: User, conversation: Conversation, **query: Any) -> str:
    return signed_in(staff).get(f"/desk/{conversation.id}/", query).content.decode()


def test_rights_are_offered_to_staff_who_may(conversation: Conversation, bob: User, dana: User) -> None:
    refused = shown(bob, conversation)
    assert "data-rights=" not in refused
    assert "ask an admin" in refused
    bob.may_reveal = True
    bob.save()
    for staff in (bob, dana):
        page = shown(staff, conversation)
        assert re.findall(r'data-rights="(\w+)"', page) == ["export", "erase"]
        assert f'data-customer="{conversation.customer_id}"' in page
        assert "ask an admin" not in page


def test_forgotten_conversation_says_so(forgotten: Conversation, bob: User) -> None:
    page = shown(bob, forgotten, view="closed")
    day = f"{timezone.localtime(forgotten.forgotten_at):%Y-%m-%d}"
    assert re.search(rf"What was said here was deleted on <time [^>]*>{day}</time>", page)
    row = page[page.index(f'id="row-{forgotten.id}"') :]
    assert "<i>Deleted</i>" in row[: row.index("</a>")]


def test_conversation_with_its_text_does_not_say_it_was_deleted(
    conversation: Conversation, bob: User
) -> None:
    page = shown(bob, conversation)
    assert "What was said here was deleted" not in page
    assert "<i>Deleted</i>" not in page


def test_erased_customer_cannot_be_erased_again(forgotten: Conversation, dana: User) -> None:
    Customer.objects.filter(id=forgotten.customer_id).update(erased_at=timezone.now())
    page = shown(dana, forgotten)
    assert "This customer was erased on" in page
    assert "data-rights=" not in page


def test_frame_says_how_long_and_what_is_hidden(client: Client, site: Site) -> None:
    site.text_days, site.call_days, site.masking = 30, None, {"PERSON": "keep"}
    site.save()
    page = client.get(f"/widget/{site.key}/").content.decode()
    assert 'data-text-days="30" data-call-days=""' in page
    hidden = re.search(r'data-hidden="([A-Z_ ]+)"', page)
    assert hidden
    assert "CARD" in hidden[1].split()
    assert "PERSON" not in hidden[1].split()
