"""What one conversation knows: told by the site, left by the customer, declared by tools, met before."""

import pytest

from accounts import contact, identity
from accounts.models import Customer, Lookup, Site, User
from bot.models import Conversation
from bot.privacy import veil
from bot.privacy.veil import Known, Veil
from tests.bot.privacy.doubles import InProcess


@pytest.fixture
def conversation(site: Site, alice: Customer, monkeypatch: pytest.MonkeyPatch) -> Conversation:
    monkeypatch.setattr(veil, "engine", InProcess)
    identity.verified(site, identity.Identity("alice", "alice@harbor.test", "Alice Ash", None))
    return Conversation.objects.create(site=site, customer=alice)


def veil_of(conversation: Conversation) -> Veil:
    """As another turn on another worker opens it."""
    return veil.of(Conversation.objects.get(id=conversation.id))


def test_what_the_site_and_the_customer_told_is_known(conversation: Conversation) -> None:
    contact.leave(Customer.objects.get(), "left@harbor.test")
    masked = veil_of(conversation).mask(["Ash: ALICE@HARBOR.TEST or left@harbor.test"])
    assert masked == ["<PERSON_1>: <EMAIL_1> or <EMAIL_2>"]


def test_kept_kind_is_left_though_the_site_told_it(conversation: Conversation, site: Site) -> None:
    site.masking = {"PERSON": "keep"}
    site.save()
    assert veil_of(conversation).mask(["Alice Ash, alice@harbor.test"]) == ["Alice Ash, <EMAIL_1>"]


@pytest.mark.parametrize("sub", ["alice.miller", "212-555-0123", "K 77/12"])
def test_private_id_of_the_customer_is_masked_where_a_tool_tells_it(
    conversation: Conversation, site: Site, sub: str
) -> None:
    Conversation.objects.update(customer=identity.known_as(site, sub))
    one = veil_of(conversation)
    masked = one.mask_json({"owner": sub, "note": f"of {sub}, paid"})
    assert sub not in str(masked)
    assert one.unmask_json(masked) == {"owner": sub, "note": f"of {sub}, paid"}


def test_id_that_staff_may_see_is_not_masked(conversation: Conversation) -> None:
    assert veil_of(conversation).mask_json({"owner": "alice"}) == {"owner": "alice"}


def test_private_field_of_a_tool_stays_known_in_later_turns(conversation: Conversation, site: Site) -> None:
    site.masking = {"PERSON": "keep"}
    site.save()
    first = veil_of(conversation)
    first.know([Known("PERSON", "Erik Larsson"), Known("PRIVATE", "K-77/12")])
    result = {"to": "Erik Larsson", "account": "K-77/12", "mail": "x@harbor.test"}
    assert first.mask_json(result) == {"to": "<PERSON_1>", "account": "<PRIVATE_1>", "mail": "<EMAIL_1>"}
    later = veil_of(conversation)
    text = "Is k-77/12 the account of Erik  Larsson?"
    assert later.mask([text]) == ["Is <PRIVATE_1> the account of <PERSON_1>?"]
    assert later.mask_json({"note": [text, 7]})["note"][0] == "Is <PRIVATE_1> the account of <PERSON_1>?"


def test_two_conversations_know_nothing_of_each_other(
    conversation: Conversation, site: Site, carol: Customer
) -> None:
    veil_of(conversation).mask(["write to zoe@harbor.test"])
    hers = Conversation.objects.create(site=site, customer=carol)
    assert veil_of(hers).mask(["Alice Ash and zoe@harbor.test"]) == ["Alice Ash and <EMAIL_1>"]


def test_names_of_assistant_and_agent_are_public(conversation: Conversation, bob: User) -> None:
    Conversation.objects.update(handler="person", agent=bob)
    assert {"Bob", "Assistant", "Harbor & Pine"} <= veil_of(conversation).public


def test_what_was_found_lets_staff_find_the_customer_once(conversation: Conversation) -> None:
    one = veil_of(conversation)
    one.mask_json({"order": "HP-10423", "to": "zoe@harbor.test"})
    found = one.take_found()
    for _ in range(2):
        veil.remember(conversation, found)
    told = Lookup.objects.filter(conversation=conversation.id).values_list("kind", flat=True)
    assert sorted(told) == ["email", "order"]
    assert one.take_found() == []
