"""The vault keeps one placeholder per value and conversation, sealed, also when threads race."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.fernet import InvalidToken
from django.db import connection

from accounts.models import Customer, Site
from bot.models.conversation import Conversation, VaultEntry
from bot.privacy.memory_vault import MemoryVault
from bot.privacy.restore import restore
from bot.privacy.scrub import scrub
from bot.privacy.vault import Vault
from tests.bot.privacy.doubles import RULES, InProcess


@pytest.fixture
def conversation(site: Site, alice: Customer) -> Conversation:
    return Conversation.objects.create(site=site, customer=alice)


def vault_of(conversation: Conversation) -> Vault:
    return Vault(conversation.id, conversation.data_key)


PAIRS = [
    ("EMAIL", "alice@example.com"),
    ("EMAIL", "Alice@Example.COM"),
    ("PHONE", "138 1234 5678"),
    ("PHONE", "13812345678"),
    ("PERSON", "Alice  Miller"),
    ("PERSON", "alice miller"),
    ("EMAIL", "bob@example.com"),
]
SPELLINGS = [
    (("BANK", "DE89 3704 0044"), ("BANK", "de8937040044"), "<BANK_1>"),
    (("NATIONAL_ID", "AB 12 34 56 C"), ("NATIONAL_ID", "ab123456c"), "<NATIONAL_ID_1>"),
    (("IP", "2001:DB8::1"), ("IP", "2001:db8::1"), "<IP_1>"),
    (("BIRTHDATE", "1990-05-02"), ("BIRTHDATE", "1990/05/02"), "<BIRTHDATE_1>"),
    (("PERSON", "Ａｌｉｃｅ　Miller"), ("PERSON", "alice miller"), "<PERSON_1>"),
    (("CARD", "4111 1111 1111 1111"), ("CARD", "４１１１-1111-1111-1111"), "<CARD_1>"),
]


def test_vault_gives_spellings_of_a_value_one_placeholder(conversation: Conversation) -> None:
    vault = vault_of(conversation)
    expected = ["<EMAIL_1>", "<EMAIL_1>", "<PHONE_1>", "<PHONE_1>", "<PERSON_1>", "<PERSON_1>", "<EMAIL_2>"]
    assert vault.placeholders(PAIRS) == MemoryVault().placeholders(PAIRS) == expected
    assert vault_of(conversation).placeholders(PAIRS) == expected
    assert vault.values() == {
        "<EMAIL_1>": "alice@example.com",
        "<PHONE_1>": "138 1234 5678",
        "<PERSON_1>": "Alice  Miller",
        "<EMAIL_2>": "bob@example.com",
    }


@pytest.mark.parametrize(("one", "other", "placeholder"), SPELLINGS)
def test_spellings_of_every_kind_share_a_placeholder(
    one: tuple[str, str], other: tuple[str, str], placeholder: str
) -> None:
    assert MemoryVault().placeholders([one, other]) == [placeholder, placeholder]


def test_passwords_are_told_apart_by_their_capitals() -> None:
    secrets = [("SECRET", "Sesame7"), ("SECRET", "sesame7")]
    assert MemoryVault().placeholders(secrets) == ["<SECRET_1>", "<SECRET_2>"]


def test_vault_asks_the_database_little(
    conversation: Conversation, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    vault = vault_of(conversation)
    with django_assert_max_num_queries(6):  # of these two are the savepoint of the insert
        vault.placeholders(PAIRS)
    with django_assert_max_num_queries(0):
        vault.placeholders(PAIRS)
    with django_assert_max_num_queries(1):
        vault_of(conversation).placeholders(PAIRS)
    with django_assert_max_num_queries(1):
        vault.values()


def test_vault_stores_nothing_readable_and_opens_for_its_key_only(conversation: Conversation) -> None:
    vault_of(conversation).placeholder("EMAIL", "alice@example.com")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM bot_vaultentry")
        assert b"alice" not in b"".join(
            bytes(cell) for cell in cursor.fetchone() if isinstance(cell, memoryview)
        )
    with pytest.raises(InvalidToken):
        Vault(conversation.id, Conversation().data_key).values()


def test_vaults_of_two_customers_share_nothing(site: Site, alice: Customer, carol: Customer) -> None:
    hers, other = (Conversation.objects.create(site=site, customer=customer) for customer in (alice, carol))
    vault_of(hers).placeholder("EMAIL", "alice@example.com")
    assert vault_of(other).values() == {}
    assert vault_of(other).placeholder("EMAIL", "carol@example.com") == "<EMAIL_1>"
    digests = set(VaultEntry.objects.values_list("digest", flat=True))
    vault_of(other).placeholder("EMAIL", "alice@example.com")
    assert VaultEntry.objects.exclude(digest__in=digests).count() == 1


def test_vault_brings_scrubbed_text_back(conversation: Conversation) -> None:
    text = "Write to alice@example.com or bob@example.com"
    [scrubbed] = scrub([text], vault_of(conversation), InProcess(), "en", RULES)
    assert scrubbed == "Write to <EMAIL_1> or <EMAIL_2>"
    assert restore(scrubbed, vault_of(conversation).values()) == text


@pytest.mark.django_db(transaction=True)
def test_vault_agrees_with_itself_when_threads_race(conversation: Conversation) -> None:
    values = [("EMAIL", f"{number}@example.com") for number in range(6)]

    def reserve(turn: int) -> dict[tuple[str, str], str]:
        try:
            mine = values[turn % 6 :] + values[: turn % 6]
            return dict(zip(mine, vault_of(conversation).placeholders(mine), strict=True))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(reserve, range(12)))
    assert all(answer == answers[0] for answer in answers)
    assert sorted(answers[0].values()) == [f"<EMAIL_{number}>" for number in range(1, 7)]
