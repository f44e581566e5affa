"""Who may open the chat socket, and as whom."""

import time
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import identity
from accounts.models import Customer, Site, Tier, User
from bot.desk import handover
from bot.models import Conversation, Message, Turn
from bot.outbox import outbox
from bot.web import frames, session
from bot.web.session import Session
from tests.bot.conftest import Connect, Tab, socket
from tests.conftest import sign

pytestmark = pytest.mark.django_db(transaction=True)


async def test_hello_answers_ready_with_a_token_that_works_again(tab: Connect) -> None:
    async with tab(locale="zh-CN") as first:
        ready = first.frames[0]
    assert ready["version"] == 1
    assert ready["customer"] == {"verified": False}
    assert ready["conversation"]["handler"] == "bot"
    assert ready["messages"] == []
    assert ready["turn"] is None
    assert ready["mode"] == "normal"
    assert ready["site"]["greeting"] == "您好！"
    assert ready["allowance"]["limits"][0]["amount"] == 10
    async with tab(token=ready["token"]) as second:
        assert second.frames[0]["conversation"]["id"] == ready["conversation"]["id"]


async def test_identity_makes_a_verified_customer(tab: Connect) -> None:
    async with tab(identity=sign("alice", name="Alice Ash", email="alice@example.com", tier="plus")) as alice:
        ready = alice.frames[0]
    assert ready["customer"] == {"verified": True, "name": "Alice Ash", "reachable": True}
    assert ready["allowance"]["limits"][0]["amount"] == 100
    customer = await sync_to_async(identity.known_as)(await Site.objects.aget(), "alice")
    assert b"Alice" not in bytes(customer.sealed_name)


async def test_identity_adopts_the_anonymous_conversation(tab: Connect) -> None:
    async with tab() as visitor:
        before = visitor.frames[0]
    async with tab(token=before["token"], identity=sign("alice")) as alice:
        assert alice.frames[0]["conversation"]["id"] == before["conversation"]["id"]
    # Who holds the anonymous token reaches the conversation no more.
    async with tab(token=before["token"]) as visitor:
        assert visitor.frames[0]["conversation"]["id"] != before["conversation"]["id"]


async def test_anonymous_tab_leaves_the_conversation_that_was_adopted(tab: Connect) -> None:
    async with tab() as visitor:
        before = visitor.frames[0]
        async with tab(token=before["token"], identity=sign("alice")) as alice:
            assert (await visitor.until("ready"))["conversation"]["id"] != before["conversation"]["id"]
            await alice.send("rate", message=str(uuid4()), score=1, ref="r")
            assert (await alice.until("error"))["code"] == "unknown"
            assert [frame["type"] for frame in alice.frames].count("ready") == 1


async def test_message_into_an_adopted_conversation_is_rejected(tab: Connect) -> None:
    async with tab() as visitor:
        # The event that tells of the adoption is lost.
        alice = await Customer.objects.acreate(
            site_id=(await Customer.objects.aget()).site_id, sub_digest="a"
        )
        await Conversation.objects.aupdate(customer=alice)
        await visitor.say("Where are my orders?")
        await visitor.until("rejected", code="closed")
        await visitor.until("ready")
        await visitor.say("And here?")
        await visitor.until("accepted")


async def test_own_open_conversation_wins_over_an_anonymous_one(tab: Connect) -> None:
    async with tab("alice") as alice:
        own = alice.frames[0]["conversation"]["id"]
    async with tab() as visitor:
        token = visitor.frames[0]["token"]
    async with tab(token=token, identity=sign("alice")) as alice:
        assert alice.frames[0]["conversation"]["id"] == own


@pytest.mark.parametrize(
    "identity",
    [
        lambda: sign("alice", secret="somebody-else's-secret-of-enough-length"),
        lambda: sign("alice", seconds=-120),
        lambda: sign("alice", seconds=3600),
        lambda: sign("alice", tier="platinum"),
        lambda: sign("alice", aud="another-service"),
        lambda: "not.a.token",
    ],
    ids=["forged", "expired", "too-long-lived", "tier-not-allowed", "other-audience", "nonsense"],
)
async def test_hello_is_closed_with_4401_for_a_bad_identity(tab: Connect, identity: Any) -> None:
    async with tab(hello=False) as one:
        await one.send("hello", identity=identity())
        assert (await one.next())["code"] == "bad_token"
        assert await one.closed() == 4401
    assert not await Customer.objects.aexists()


async def test_hello_is_closed_with_4401_for_a_token_of_another_site(tab: Connect, site: Site) -> None:
    async with tab() as visitor:
        token = visitor.frames[0]["token"]
    await Site.objects.acreate(key="other", name="Other", default_tier_id=site.default_tier_id)
    communicator = socket("other")
    await communicator.connect()
    other = Tab(communicator)
    await other.send("hello", token=token)
    assert (await other.next())["code"] == "bad_token"
    assert await other.closed() == 4401


async def test_ready_tells_of_a_take_over_that_came_before_the_socket_listened(
    tab: Connect, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = session.enter

    def late(*given: Any) -> Session:
        entered = enter(*given)
        handover.take_over(bob, entered.conversation.id)
        outbox().flush()
        return entered

    monkeypatch.setattr(session, "enter", late)
    async with tab("alice") as alice:
        conversation = alice.frames[0]["conversation"]
        assert (conversation["handler"], conversation["agent"]) == ("person", "Bob")


@pytest.mark.parametrize("frame", ["{", '"hello"', '{"type": "ping"}', '{"type": "hello", "token": 7}'])
async def test_socket_is_closed_with_4400_without_a_good_hello(tab: Connect, frame: str) -> None:
    async with tab(hello=False) as one:
        await one.socket.send(frame)
        assert await one.closed() == 4400


async def test_socket_is_closed_with_4400_when_hello_does_not_come(
    tab: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.consumers.HELLO_SECONDS", 0.05)
    async with tab(hello=False) as one:
        began = time.monotonic()
        assert await one.closed() == 4400
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "", None])
async def test_handshake_is_refused_for_a_wrong_origin(site: Site, origin: str | None) -> None:
    assert (await socket(origin=origin).connect()) is False


async def test_handshake_is_accepted_from_the_site_s_own_pages(site: Site) -> None:
    communicator = socket(origin="http://shop.example.com")
    assert (await communicator.connect()) is True
    await communicator.disconnect()


async def test_handshake_is_refused_for_an_unknown_site(site: Site) -> None:
    assert (await socket("nowhere").connect()) is False


async def test_new_closes_the_conversation_and_starts_a_fresh_one_in_every_tab(tab: Connect) -> None:
    async with tab("alice") as one, tab("alice") as two:
        before = one.frames[0]["conversation"]["id"]
        await one.send("new")
        after = (await one.until("ready"))["conversation"]["id"]
        assert after != before
        assert (await two.until("ready"))["conversation"]["id"] == after
    assert await Conversation.objects.filter(closed_at=None).acount() == 1


def test_page_of_messages_is_one_query_however_many_there_are(site: Site, alice: Customer) -> None:
    here = session.enter(site, frames.Hello(type="hello", identity=sign("alice")), "")
    for number in range(5):
        turn = Turn.objects.create(conversation=here.conversation, state="done", deferred=number == 1)
        Message.objects.create(conversation=here.conversation, author="bot", turn=turn, masked=str(number))
    with CaptureQueriesContext(connection) as asked:
        bodies, more = here.read_page()
    assert len(asked) == 1
    assert [(body.text, body.deferred) for body in bodies[:2]] == [("0", None), ("1", True)]
    assert not more


async def test_tier_says_how_long_a_question_may_be(tab: Connect) -> None:
    await Tier.objects.filter(slug="free").aupdate(question_characters=20)
    async with tab("alice") as alice:
        assert alice.frames[0]["site"]["max_chars"] == 20
        await alice.say("x" * 21)
        rejected = await alice.until("rejected")
        assert (rejected["code"], "20" in rejected["text"]) == ("too_long", True)
        await alice.say("x" * 20)
        await alice.until("accepted")


@pytest.mark.parametrize(("source", "mode"), [("model", "normal"), ("promise", "degraded")])
def test_answer_that_was_cut_short_is_no_outage(site: Site, alice: Customer, source: str, mode: str) -> None:
    conversation = Conversation(site=site, customer=alice)
    one = Session(site, alice, conversation, "token", "en", b"key")
    final = {"state": "degraded", "allowance": {"exhausted": False}, "message": {"source": source}}
    assert one.mode_changes(final) == (mode == "degraded")
    assert one.mode == mode
