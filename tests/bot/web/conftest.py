"""The desk as its staff open it, and a conversation of alice's to look at there."""

import pytest
from django.test import Client

from accounts.models import Customer, User
from bot.models import Conversation


@pytest.fixture
def conversation(alice: Customer) -> Conversation:
    return Conversation.objects.create(site=alice.site, customer=alice)


@pytest.fixture
def desk(bob: User) -> Client:
    """Bob's, who may not reveal."""
    return signed_in(bob)


@pytest.fixture
def danas_desk(dana: User) -> Client:
    """Dana's, who may."""
    return signed_in(dana)


def signed_in(staff: User, *, enforce_csrf_checks: bool = False) -> Client:
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(staff)
    return client
