"""A customer about whom everything is known that can be, with values planted to be looked for."""

import json
from collections.abc import Callable
from uuid import UUID

import pytest
import redis
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection

from accounts import audit, identity, lookups, sealing
from accounts.models import Customer, Site, UsageEntry, User
from bot.models import Conversation, Message, ToolCall, Turn
from bot.privacy.vault import Vault

EMAIL, NAME, PHONE, ORDER = "nora.quist@example.org", "Nora Quist", "+44 20 7946 0321", "HP-88412"
COMMENT, AGENT_SAID = "wonderful help, thank you", "I have written to your landlord"
PLANTED = [EMAIL, NAME, PHONE, ORDER, COMMENT, AGENT_SAID, "shipment to the lighthouse"]

Told = Callable[..., Conversation]


@pytest.fixture
def nora(site: Site) -> Customer:
    told = identity.Identity("nora-17", EMAIL, NAME, None)
    nora = identity.verified(site, told)
    nora.sealed_contact = sealing.seal(EMAIL)
    nora.save()
    lookups.remember(nora, None, [("email", EMAIL)])
    return nora


@pytest.fixture
def told(bob: User) -> Told:
    """A conversation in which the customer has told things, a tool was used, and an agent has answered."""

    def tell(customer: Customer) -> Conversation:
        conversation = Conversation.objects.create(site=customer.site, customer=customer)
        key = Fernet(conversation.data_key)
        vault = Vault(conversation.id, conversation.data_key)
        phone, name = vault.placeholder("PHONE", PHONE), vault.placeholder("PERSON", NAME)
        turn = Turn.objects.create(
            conversation=conversation, state="done", outcome="answered", input_tokens=120, output_tokens=30
        )
        said = f"I am {NAME}, {PHONE}, and wait for {ORDER}, a shipment to the lighthouse"
        masked = said.replace(NAME, name).replace(PHONE, phone)
        facts = {"conversation": conversation, "turn": turn}
        Message.objects.create(**facts, author="customer", sealed=key.encrypt(said.encode()), masked=masked)
        ToolCall.objects.create(
            turn=turn,
            call="1",
            name="order_status",
            arguments={"order": ORDER},
            result={"for": name, "status": "shipped"},
            state="done",
            title=f"Order {ORDER}",
            lines=[f"for {name}"],
        )
        Message.objects.create(
            **facts,
            author="bot",
            masked=f"Dear {name}, {ORDER} is on its way.",
            source="model",
            cards=[{"kind": "order", "data": {"id": ORDER, "name": name}}],
            sources=[{"title": "Shipping times", "url": "https://shop.example.com/help/shipping-times"}],
            rating=1,
            sealed_comment=key.encrypt(COMMENT.encode()),
        )
        Message.objects.create(
            conversation=conversation,
            author="agent",
            agent=bob,
            masked=AGENT_SAID,
            sealed=key.encrypt(AGENT_SAID.encode()),
        )
        lookups.remember(customer, conversation.id, [("phone", PHONE), ("order", ORDER)])
        _used(customer, turn)
        return conversation

    return tell


def _used(customer: Customer, turn: Turn) -> None:
    UsageEntry.objects.create(
        turn=turn.id,
        customer=customer.id,
        site=customer.site.key,
        tier="free",
        provider="scripted",
        model="gpt-4o-mini",
        model_class="small",
        input_tokens=120,
        output_tokens=30,
        confidence="exact",
    )


@pytest.fixture
def admins_history(nora: Customer, dana: User) -> LogEntry:
    """What Django's admin keeps of a change to the customer."""
    return LogEntry.objects.create(
        user=dana,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(nora.id),
        object_repr=str(nora),
        action_flag=CHANGE,
    )


@pytest.fixture
def revealed(told: Told, nora: Customer, dana: User) -> Conversation:
    """One of nora's conversations, in which dana has looked at a value."""
    conversation = told(nora)
    audit.record(dana, "reveal_value", f"conversation:{conversation.id}", reason="asked to", kind="PHONE")
    return conversation


def dump() -> str:
    """All rows of accounts and bot, and the admin's history, as one text."""
    models = [*apps.get_app_config("accounts").get_models(), *apps.get_app_config("bot").get_models()]
    tables = [model._meta.db_table for model in [*models, LogEntry]]
    said = []
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT row_to_json(one)::text FROM {table} one")  # noqa: S608  our own tables
            said += [f"{table} {row[0]}" for row in cursor.fetchall()]
    return "\n".join(said)


def shown(turn: UUID) -> list[str]:
    """What Redis keeps of the events of a turn."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        entries = client.xrange(f"fd:turn:{turn}:log")
    return [json.loads(fields[b"e"])["type"] for _, fields in entries]  # type: ignore[union-attr]
