"""Conversations to work on in the desk."""

from collections.abc import Callable, Iterator

import pytest
from cryptography.fernet import Fernet

from accounts.models import Customer
from bot import metrics
from bot.desk import ledger_night, spending_rules
from bot.models import Conversation, Message

Say = Callable[..., Message]


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Neither what other tests have spent nor what their night has found."""
    client = metrics.client()

    def forget() -> None:
        spending_rules._usual_call.cache_clear()
        spending_rules._usual_hour.cache_clear()
        client.delete(ledger_night._KEY)

    forget()
    yield
    forget()


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
