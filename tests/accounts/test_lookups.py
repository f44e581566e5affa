"""A customer is found by what is known exactly of them, however it is written, and by nothing less."""

from uuid import uuid4

import pytest

from accounts import identity, lookups
from accounts.models import Customer, Lookup, Site


@pytest.fixture
def alice(site: Site) -> Customer:
    """Of whom the site tells nothing but her id."""
    return identity.known_as(site, "alice")


SPELLINGS: list[tuple[lookups.Kind, str, str]] = [
    ("email", "Alice@Example.com", "alice@example.com "),
    ("email", "alice@example.com", "ＡＬＩＣＥ@example.com"),
    ("phone", "+49 151 2345678", "0151 2345678"),
    ("phone", "0151 2345678", "+49 (0)151 234 56 78"),
    ("phone", "0049 151-2345678", "+491512345678"),
    ("phone", "(212) 555-0123", "+1 212 555 0123"),
    ("phone", "1-212-555-0123", "2125550123"),
    ("phone", "+86 138 1234 5678", "13812345678"),
    ("phone", "１３８ １２３４ ５６７８", "8613812345678"),
    ("phone", "+44 (0)20 7946 0958", "020 7946 0958"),
    ("order", "#W2378156", "w2378156"),
    ("order", "hp-10423", "# HP-10423"),
]


def test_find_knows_every_spelling_of_a_value(alice: Customer) -> None:
    for kind, said, term in SPELLINGS:
        here = uuid4()
        lookups.remember(alice, here, [(kind, said)])
        assert list(lookups.find(term)) == [alice], term
        assert list(lookups.find(said)) == [alice], said
        lookups.forget(alice, here)
        assert not lookups.find(term).exists(), term


def test_find_tells_nothing_of_what_is_only_similar(alice: Customer) -> None:
    lookups.remember(
        alice, None, [("email", "alice@example.com"), ("phone", "015123456789"), ("order", "HP-10423")]
    )

    for term in ("", " ", "alice@example", "lice@example.com", "bob@example.com", "015123456", "2345678"):
        assert not lookups.find(term).exists(), term
    for term in ("HP-1042", "HP", "0423"):
        assert not lookups.find(term).exists(), term


def test_find_looks_at_all_sites(alice: Customer, other_site: Site) -> None:
    namesake = identity.known_as(other_site, "a-77")
    for customer in (alice, namesake):
        lookups.remember(customer, None, [("email", "alice@example.com")])

    assert set(lookups.find("alice@example.com")) == {alice, namesake}


def test_find_takes_the_sites_own_id(alice: Customer, other_site: Site) -> None:
    identity.known_as(other_site, "somebody")

    assert list(lookups.find("alice")) == [alice]
    assert not lookups.find("Alice").exists()


def test_find_reads_a_number_in_every_sites_regions(other_site: Site) -> None:
    other_site.phone_regions = ["IT"]
    other_site.save()
    giulia = identity.known_as(other_site, "giulia")

    lookups.remember(giulia, None, [("phone", "06 698 12345")])

    assert list(lookups.find("+39 06 69812345")) == [giulia]
    assert list(lookups.find("06 69812345")) == [giulia]


def test_a_kind_is_not_taken_for_another(alice: Customer) -> None:
    lookups.remember(alice, None, [("order", "alice@example.com"), ("email", "10423")])

    assert not lookups.find("alice@example.com").exists()
    assert not lookups.find("10423").exists()


def test_remember_keeps_each_value_once_and_none_in_plain(alice: Customer) -> None:
    conversation = uuid4()
    for _ in range(2):
        lookups.remember(alice, conversation, [("phone", "0151 2345678"), ("phone", "+49 151 2345678")])
        lookups.remember(alice, None, [("phone", "0151 2345678"), ("phone", "12345"), ("order", " # ")])

    rows = Lookup.objects.filter(customer=alice)
    assert sorted(str(row.conversation) for row in rows) == sorted([str(conversation), "None"])
    assert not any("2345678" in str(row.__dict__) for row in rows)


def test_forget_leaves_what_was_said_elsewhere(alice: Customer) -> None:
    here, there = uuid4(), uuid4()
    lookups.remember(alice, here, [("order", "HP-10423")])
    lookups.remember(alice, there, [("order", "HP-20000")])
    lookups.remember(alice, None, [("email", "alice@example.com")])

    lookups.forget(alice, here)

    assert not lookups.find("HP-10423").exists()
    assert lookups.find("HP-20000").exists()
    lookups.forget(alice, None)
    assert not lookups.find("alice@example.com").exists()
