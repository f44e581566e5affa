"""Conversations to work on in the desk."""

from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet

from accounts.models import Customer
from bot.models import Conversation, Message

Say = Callable[..., Message]


@pytest.fixture
def conversation(alice: Customer) -> Conversation:
    return Conversation.objects.create(site=alice.site, customer=alice)


@pytest.fixture
def say() -> Say:
    """Store a message as the customer typed it (`original`) and as the scrubber left it (`masked`)."""

    def store(
        conversation: Conversation,
        masked: str | None,
        original: str = "",
        author: str = "customer",
        **facts: object,
    ) -> Message:
        sealed = Fernet(conversation.data_key).encrypt(original.encode()) if original else b""
        return Message.objects.create(
            conversation=conversation, author=author, masked=masked, sealed=sealed, **facts
        )

    return store
