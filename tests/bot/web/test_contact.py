"""Where may we write to you: an address left in the chat."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts import contact, identity, lookups
from accounts.models import Customer, Site
from bot import conversations
from bot.models import Message
from bot.rights import erasure
from tests.bot.conftest import Connect

pytestmark = pytest.mark.django_db(transaction=True)


async def test_contact_is_sealed_said_and_finds_the_customer(tab: Connect, site: Site) -> None:
    async with tab() as visitor:
        await visitor.send("contact", email=" Zoe@example.org ", ref="1")
        said = (await visitor.until("message"))["message"]
        assert said["text"] == "Should you leave before we answer, we can write to Zoe@example.org."
        assert {"type": "ok", "ref": "1"} in visitor.frames
        await visitor.send("contact", email="Zoe@example.org", ref="2")
        await visitor.until("ok", ref="2")
        customer = await Customer.objects.aget()
        assert customer.contact == "Zoe@example.org"
        assert b"Zoe" not in bytes(customer.sealed_contact)
        message = await Message.objects.aget()
        assert message.masked == "Should you leave before we answer, we can write to <EMAIL_1>."
        assert [one async for one in lookups.find("zoe@example.org")] == [customer]
        token = visitor.frames[0]["token"]
    async with tab(token=token) as visitor:
        assert visitor.frames[0]["customer"] == {"verified": False, "reachable": True}


@pytest.mark.parametrize("fields", [{"email": "nobody"}, {"email": "a@b.de\nx"}, {"email": ""}])
async def test_contact_that_is_no_address_is_refused(tab: Connect, fields: dict[str, Any]) -> None:
    async with tab() as visitor:
        await visitor.send("contact", ref="1", **fields)
        error = await visitor.until("error", ref="1")
        assert (error["code"], error["text"]) == ("bad_address", "This does not look like an e-mail address.")
        assert not (await Customer.objects.aget()).contact


@pytest.mark.parametrize("fields", [{}, {"email": 1}, {"email": "x" * 400}, {"email": "a@b.de", "more": 1}])
async def test_contact_that_is_malformed_is_refused(tab: Connect, fields: dict[str, Any]) -> None:
    async with tab() as visitor:
        await visitor.send("contact", ref="1", **fields)
        assert (await visitor.until("error", ref="1"))["code"] == "bad_frame"
        assert not (await Customer.objects.aget()).contact


async def test_contact_told_too_often_is_refused(tab: Connect) -> None:
    async with tab() as visitor:
        for number in range(6):
            await visitor.send("contact", email=f"zoe{number}@example.org", ref=str(number))
        assert (await visitor.until("error"))["code"] == "rate_limited"
        assert (await Customer.objects.aget()).contact == "zoe4@example.org"


async def test_contact_goes_with_the_visitor_who_signs_in(tab: Connect, alice: Customer, site: Site) -> None:
    async with tab() as visitor:
        await visitor.send("contact", email="zoe@example.org", ref="1")
        await visitor.until("ok")
    visitor_row = await Customer.objects.aget(sub_digest="")
    await sync_to_async(conversations.adopt)(visitor_row, alice)
    await alice.arefresh_from_db()
    assert alice.contact == "zoe@example.org"
    await visitor_row.arefresh_from_db()
    assert visitor_row.contact == ""
    assert [one async for one in lookups.find("zoe@example.org")] == [alice]
    await sync_to_async(erasure.erase)(alice, alice, "")
    assert not await lookups.find("zoe@example.org").aexists()


@pytest.mark.django_db
def test_contact_stays_with_the_visitor_whose_conversation_does(site: Site, alice: Customer) -> None:
    visitor = identity.anonymous(site, "en", "")
    contact.leave(visitor, "zoe@example.org")
    conversations.current(visitor, "en")
    conversations.current(alice, "en")
    conversations.adopt(visitor, alice)
    visitor.refresh_from_db()
    assert visitor.contact == "zoe@example.org"
    assert list(lookups.find("zoe@example.org")) == [visitor]


@pytest.mark.django_db
def test_identity_email_finds_the_customer_until_it_changes(site: Site) -> None:
    told = identity.Identity("zoe", "zoe@example.org", "Zoe", None)
    customer = identity.verified(site, told)
    assert list(lookups.find("ZOE@example.org")) == [customer]
    identity.verified(site, identity.Identity("zoe", "new@example.org", "Zoe", None))
    assert not lookups.find("zoe@example.org")
    assert list(lookups.find("new@example.org")) == [customer]


@pytest.mark.django_db
def test_hello_finds_a_customer_known_before_there_were_lookups(site: Site) -> None:
    told = identity.Identity("zoe", "zoe@example.org", "Zoe", None)
    customer = identity.verified(site, told)
    contact.leave(customer, "later@example.org")
    lookups.forget(customer, None)
    identity.verified(site, told)
    assert list(lookups.find("zoe@example.org")) == [customer]
    assert list(lookups.find("later@example.org")) == [customer]


@pytest.mark.django_db
def test_hello_at_the_time_of_an_erasure_leaves_nothing(site: Site) -> None:
    customer = identity.verified(site, identity.Identity("zoe", "zoe@example.org", "Zoe", None))
    before = Customer.objects.get(id=customer.id)
    erasure.erase(customer, None, "asked by letter")
    contact.remember(before)
    assert not lookups.find("zoe@example.org").exists()
