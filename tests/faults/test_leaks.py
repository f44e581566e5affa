"""I6: no private value reaches a model, a log, the broker, an event or a table in the clear.

Customers, tools and staff say planted values in every way; then everything the product has left behind is
searched for every one of them. What has a form of its own must be nowhere; names and addresses are counted.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults import planted, searched
from tests.faults.gossip import Confidant, Gossip
from tests.faults.play import Play
from tests.faults.searched import Leak, Overheard, Search
from tests.faults.stage import Stage

SEED = 20
AT_ONCE = 8
UNSCRUBBED = "SELECT count(*) FROM bot_message WHERE masked IS NULL"
RAW = re.compile(r"<(?:EMAIL|PHONE|CARD|BANK|NATIONAL_ID|IP|PERSON|ADDRESS|BIRTHDATE|SECRET|PRIVATE)_[0-9]+>")


@pytest.mark.parametrize(
    ("customers", "turns"),
    [
        pytest.param(8, 5, id="forty turns"),
        pytest.param(100, 10, id="a thousand turns", marks=pytest.mark.thorough),
    ],
)
async def test_no_private_value_leaves_when_customers_tell_everything(
    play: Play, customers: int, turns: int
) -> None:
    stage = play.stage
    stage.upstream.default = Gossip(SEED)
    overheard = await asyncio.to_thread(Overheard, stage.redis.url)
    confidants = [Confidant(stage, random.Random(f"{SEED} {number}"), number) for number in range(customers)]
    door = asyncio.Semaphore(AT_ONCE)

    async def talk(one: Confidant) -> None:
        async with door:
            await one.talks(turns)

    await asyncio.gather(*(talk(one) for one in confidants))
    await stage.sees(lambda: stage.rows(UNSCRUBBED)[0]["count"] == 0, 60)
    told = await asyncio.to_thread(overheard.end)
    places = list(_places(stage, told))
    found = await asyncio.to_thread(_leaks, confidants, places)
    _print(confidants, found)
    _was_there_to_be_found(stage, confidants, dict(places))
    assert [leak for leak in found if leak.value.kind in planted.STRUCTURED] == []


def _places(stage: Stage, told: bytes) -> Iterator[tuple[str, bytes]]:
    """What reached the model, what Redis was told and holds, every log, every column of every table."""
    for received in stage.upstream.requests:
        yield "model", (received.path + str(received.headers) + received.text).encode()
    yield "told to Redis", told
    with stage.redis.client() as client:
        yield from searched.in_redis(client)
    for log in stage.var.rglob("*.log"):
        yield log.name, log.read_bytes()
    yield from searched.in_tables(stage.postgres.url)


def _leaks(confidants: list[Confidant], places: list[tuple[str, bytes]]) -> list[Leak]:
    search = Search(value for one in confidants for value in one.values)
    return [leak for place, data in places for leak in search.leaks(place, data)]


def _print(confidants: list[Confidant], found: list[Leak]) -> None:
    sown = Counter(value.kind for one in confidants for value in set(one.values))
    leaked = Counter(value.kind for value in {leak.value for leak in found})
    for kind, count in sown.items():
        print(f"{kind}: {count} planted, {leaked[kind]} found")
    for (kind, place), count in sorted(Counter((leak.value.kind, leak.place) for leak in found).items()):
        print(f"  {kind} in {place}: {count}")


def _was_there_to_be_found(stage: Stage, confidants: list[Confidant], places: dict[str, bytes]) -> None:
    """What is not private did arrive where it was looked for, and customers read their own values again."""
    order = confidants[0].orders[0]
    assert order.encode() in places["bot_message.masked"]
    assert any(order in received.text for received in stage.upstream.completions)
    for place in ("told to Redis", "redis fd:turn:…:log"):
        assert b"I have noted" in places[place]
    shown = [str(frame) for one in confidants for _, frame in one.tab.frames]
    assert not [frame for frame in shown if RAW.search(frame)]
    for kind in ("EMAIL", "PHONE"):
        told = [value.text for one in confidants for value in one.known.values if value.kind == kind]
        assert any(text in frame for frame in shown for text in told), kind
