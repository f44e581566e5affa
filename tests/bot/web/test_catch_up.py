"""Open sockets catch up by themselves, whatever was lost between the database, Redis and them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Customer
from bot import events, outbox
from bot.models import Conversation, Message, Turn, group_of
from bot.outbox import wire_group
from bot.web import watch
from bot.web.feed import Feed, feed
from tests.bot.conftest import Connect, Tab
from tests.bot.web.own_redis import OwnRedis

pytestmark = pytest.mark.django_db(transaction=True)

written = sync_to_async(lambda: outbox.outbox().flush())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch looks often, and takes what is not here yet for lost."""
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(watch, "ON_ITS_WAY", timedelta(0))


@pytest.fixture
async def own(tmp_path: Path, settings: Settings) -> AsyncIterator[OwnRedis]:
    """A Redis that the test may stop; what was started on the other one comes back after it."""
    with OwnRedis(tmp_path) as own:
        settings.REDIS_URL = own.url
        outbox.outbox.cache_clear()
        yield own
        outbox.outbox.cache_clear()


@asynccontextmanager
async def deaf() -> AsyncIterator[None]:
    """What is published meanwhile reaches this process, and nobody in it."""
    heard = asyncio.Event()
    await feed().join("probe", lambda event, text: heard.set())
    hearers = feed()._hearers
    feed()._hearers = {wire_group("probe"): hearers[wire_group("probe")]}
    yield
    await written()
    outbox.outbox().publish("probe", {})
    await heard.wait()
    feed()._hearers = hearers


async def running_turn(tab: Tab) -> tuple[Turn, events.TurnLog]:
    conversation = UUID(tab.frames[0]["conversation"]["id"])
    turn = await Turn.objects.acreate(conversation_id=conversation, state="running", attempt=1)
    return turn, events.TurnLog(turn.id, 1, conversation)


async def end(turn: Turn, text: str) -> None:
    """As the database knows it; nobody is told."""
    await Message.objects.acreate(
        conversation_id=turn.conversation_id, turn=turn, author="bot", masked=text, source="model"
    )
    await Turn.objects.filter(id=turn.id).aupdate(
        state="done", outcome="answered", finished_at=timezone.now()
    )


def strict(tab: Tab) -> str:
    """What a browser by the rules shows; fails at a gap, and at a second final."""
    last, text, finals = 0, "", 0
    for frame in tab.frames:
        if "seq" not in frame or frame["seq"] <= last:
            continue
        assert frame["seq"] == last + 1 or frame["type"] == "reset", (last, frame)
        last = frame["seq"]
        text = "" if frame["type"] == "reset" else text + frame.get("text", "")
        finals += frame["type"] == "final"
    assert finals <= 1
    return text


async def test_final_that_nobody_sent_arrives(tab: Connect, quick: None) -> None:
    async with tab("alice") as alice:
        turn, log = await running_turn(alice)
        log.text("All of ")
        await alice.until("delta")
        log.text("it.")
        await alice.until("delta")
        await end(turn, "All of it.")
        final = await alice.until("final", turn=str(turn.id))
        assert final["message"]["text"] == strict(alice) == "All of it."
        # The one that was late after all is not told a second time.
        log.final(events.MessageBody.model_validate(final["message"]), "answered", _nothing())
        await written()
        await alice.send("ping")
        await alice.until("pong")
        assert [frame["type"] for frame in alice.frames].count("final") == 1


async def test_final_of_a_turn_whose_events_were_all_lost_arrives(tab: Connect, quick: None) -> None:
    async with tab("alice") as alice, tab("alice") as other:
        await alice.say("Is anybody there?")
        accepted = await alice.until("accepted")
        await other.until("message")
        turn = await Turn.objects.aget(id=accepted["turn"])
        await end(turn, "Yes.")
        for one in (alice, other):
            final = await one.until("final", turn=accepted["turn"])
            assert final["message"]["text"] == strict(one) == "Yes."


async def test_text_that_was_never_seen_comes_with_the_final(tab: Connect, quick: None) -> None:
    async with tab("alice") as alice:
        turn, log = await running_turn(alice)
        log.text("Only the beg")
        await alice.until("delta")
        await end(turn, "Only the beginning was seen.")
        await alice.until("final", turn=str(turn.id))
        assert strict(alice) == "Only the beginning was seen."


async def test_socket_that_stands_still_is_told_what_it_lacks(
    tab: Connect, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tab("alice") as alice:
        _, log = await running_turn(alice)
        log.text("Seen, ")
        await alice.until("delta")
        async with deaf():
            log.text("lost, ")
        await alice.until("delta")
        log.text("seen again.")
        await alice.until("delta")
        assert strict(alice) == "Seen, lost, seen again."


async def test_gap_is_healed_before_the_browser_sees_it(tab: Connect) -> None:
    async with tab("alice") as alice:
        _, log = await running_turn(alice)
        log.text("One, ")
        await alice.until("delta")
        async with deaf():
            log.text("two, ")
        log.text("three.")
        await alice.until("delta")
        await alice.until("delta")
        assert strict(alice) == "One, two, three."


async def test_sockets_hear_again_at_once_after_their_connection_was_cut(tab: Connect) -> None:
    async with tab("alice") as alice:
        _, log = await running_turn(alice)
        log.text("Before, ")
        await alice.until("delta")
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.client_kill_filter(_type="pubsub")
            log.text("meanwhile, ")
            await written()
        async with asyncio.timeout(2):
            await alice.until("delta")
        log.text("after.")
        await alice.until("delta")
        assert strict(alice) == "Before, meanwhile, after."


async def test_what_was_said_while_nobody_heard_is_in_a_fresh_ready(tab: Connect) -> None:
    async with tab("alice") as alice:
        conversation = UUID(alice.frames[0]["conversation"]["id"])
        await Message.objects.acreate(conversation_id=conversation, author="system", masked="Hello?")
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.client_kill_filter(_type="pubsub")
        ready = await alice.until("ready")
        assert [message["text"] for message in ready["messages"]] == ["Hello?"]


async def test_conversation_closed_while_nobody_heard_is_left(tab: Connect) -> None:
    async with tab("alice") as alice:
        before = alice.frames[0]["conversation"]["id"]
        await Conversation.objects.aupdate(closed_at=timezone.now())
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.client_kill_filter(_type="pubsub")
        assert (await alice.until("ready"))["conversation"]["id"] != before


async def test_quiet_sockets_are_left_alone_after_their_connection_was_cut(tab: Connect) -> None:
    async with tab("alice") as alice, tab("carol") as carol:
        await Message.objects.acreate(
            conversation_id=UUID(alice.frames[0]["conversation"]["id"]), author="system", masked="Hello?"
        )
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.client_kill_filter(_type="pubsub")
        await alice.until("ready")
        await carol.send("ping")
        assert (await carol.next())["type"] == "pong"


async def test_open_sockets_live_through_a_redis_that_dies_and_comes_back_empty(
    own: OwnRedis, tab: Connect
) -> None:
    async with tab("alice") as alice:
        turn, log = await running_turn(alice)
        log.working("Thinking…")
        log.text("Before, ")
        await alice.until("delta")
        own.stop()
        log.text("meanwhile, ")
        # Whoever comes now is not kept out.
        async with tab("alice") as late:
            assert late.frames[0]["turn"] == {"id": str(turn.id), "state": "running"}
            await late.send("resume", turn=str(turn.id), after=0, ref="r")
            await late.until("ok", ref="r")
            own.start()
            for one in (alice, late):
                await one.until("delta", text="Before, meanwhile, ")
            log.text("after.")
            for one in (alice, late):
                await one.until("delta", text="after.")
                assert strict(one) == "Before, meanwhile, after."


async def test_turn_that_ends_while_redis_is_away_is_told_from_the_database(
    own: OwnRedis, tab: Connect, quick: None
) -> None:
    async with tab("alice") as alice:
        turn, log = await running_turn(alice)
        log.text("Half a sen")
        await alice.until("delta")
        own.stop()
        await end(turn, "Half a sentence, and the rest.")
        final = await alice.until("final")
        assert final["message"]["text"] == strict(alice) == "Half a sentence, and the rest."


async def test_feed_is_one_json_object_a_message(alice: Customer) -> None:
    """The wire form, pinned: web and worker processes of two releases meet on it during a deploy."""
    conversation = await Conversation.objects.acreate(site_id=alice.site_id, customer=alice)
    heard: asyncio.Queue[tuple[dict[str, Any], str]] = asyncio.Queue()
    own_feed = Feed(settings.REDIS_URL)
    await own_feed.join(group_of(conversation.id), lambda event, text: heard.put_nowait((event, text)))
    turn = uuid4()
    events.TurnLog(turn, 1, conversation.id).working("…")
    events.status(conversation.id, "queue")
    try:
        async with asyncio.timeout(5):
            event, text = await heard.get()
            assert text == f'{{"seq":1,"turn":"{turn}","attempt":1,"type":"working","label":"…"}}'
            assert event == json.loads(text)
            assert (await heard.get())[0] == {"type": "status", "handler": "queue"}
        assert wire_group("desk") == "fd:group:desk"
    finally:
        await own_feed.close()


async def test_groups_nobody_wants_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.web.feed.ASK_SECONDS", 0.05)
    own_feed, name = Feed(settings.REDIS_URL), f"nobody-{uuid4()}"

    def nothing(event: dict[str, Any], text: str) -> None:
        raise AssertionError

    with redis.Redis.from_url(settings.REDIS_URL) as client:
        subscribed: Callable[[], bool] = lambda: bool(client.pubsub_channels(wire_group(name)))  # noqa: E731
        await own_feed.join(name, nothing)
        assert subscribed()
        own_feed.leave(name, nothing)
        async with asyncio.timeout(5):
            while subscribed():  # noqa: ASYNC110  Redis tells nobody
                await asyncio.sleep(0.02)
    await own_feed.close()


def _nothing() -> events.AllowanceBody:
    return events.AllowanceBody(limits=[], exhausted=False)
