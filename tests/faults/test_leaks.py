"""I6: no private value reaches a model, a log, the broker, an event or a table in the clear.

Customers, tools and staff say planted values in every way; then everything the product has left behind is
searched for every one of them. What has a form of its own must be nowhere; names and addresses are counted.
"""

import asyncio
import base64
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.faults import planted, searched
from tests.faults.customers import Tab
from tests.faults.gossip import Confidant, Gossip
from tests.faults.planted import Planted
from tests.faults.play import Play
from tests.faults.searched import Leak, Overheard, Search
from tests.faults.stage import SITE, Stage
from tests.faults.test_edges import detectors
from tests.product import identity
from tests.upstream import Reply

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


@pytest.mark.thorough
async def test_no_private_value_is_left_behind_when_everything_fails(play: Play) -> None:
    """Endpoints that refuse and repeat the question, frames nobody can read, tokens and addresses of nobody,
    tools that break, a scrubber that dies and a database that is away."""
    stage, rng = play.stage, random.Random(f"{SEED} failing")
    overheard = await asyncio.to_thread(Overheard, stage.redis.url)
    one = Confidant(stage, rng, 1)
    async with one.tab as tab:
        for way in (_refuses, _gives_up):
            stage.upstream.script(*(way(one.plants()) for _ in range(4)))
            await tab.reply(await one.says())
        for value in (one.plants() for _ in range(3)):
            stage.upstream.script(Reply("", tools=(("tell", _arguments(value, "broken")),)))
            await tab.reply(await one.says())
        await _writes_nonsense(one)
        await asyncio.to_thread(_visits, stage, one)
        await asyncio.to_thread(_breaks_a_statement, stage, one.plants())
        for detector in detectors(stage):
            detector.kill()
        await tab.reply(await one.says())
        said = await one.says()
        stage.postgres.wire.refuse()
        stage.postgres.wire.cut()
        await tab.send("rate", message=str(uuid4()), score=1, comment=one.plants().text)
        stage.postgres.wire.accept()
        await tab.reply(said)
    await stage.sees(lambda: stage.rows(UNSCRUBBED)[0]["count"] == 0, 60)
    places = list(_places(stage, await asyncio.to_thread(overheard.end)))
    found = _leaks([one], places)
    _print([one], found)
    assert [leak for leak in found if leak.value.kind in planted.STRUCTURED] == []


@pytest.mark.parametrize("zh", [False, True], ids=["en", "zh"])
@pytest.mark.parametrize("kind", planted.MAKERS)
def test_search_finds_a_value_in_every_spelling(kind: str, zh: bool) -> None:
    rng = random.Random(f"{kind} {zh}")
    value, other = planted.one(kind, rng, zh), planted.one(kind, rng, zh)
    search = Search([value])
    innocent = f"{{'said': '{other.text}', 'id': '{uuid4()}'}}".encode() * 50
    assert list(search.leaks("here", innocent)) == []
    text = value.text
    written = [
        text,
        text.upper(),
        quote(text),
        json.dumps(text),
        json.dumps({"a": [text]}, ensure_ascii=False),
    ]
    written.append(base64.b64encode(json.dumps({"body": text}, ensure_ascii=False).encode()).decode())
    if kind in searched.BY_DIGITS and text.isascii():
        written += [" ".join(char for char in text if char.isdigit()), re.sub(r"\D", "-", text)]
    for one in written:
        [leak] = list(search.leaks("here", innocent + one.encode() + innocent))
        assert (leak.value, leak.place) == (value, "here")


def _refuses(value: Planted) -> Reply:
    return Reply(
        status=400, error={"message": f"Cannot read: {value.text}", "type": value.text, "code": None}
    )


def _gives_up(value: Planted) -> Reply:
    return Reply(fault="error_event", after=1, error={"message": f"Lost at {value.text}", "code": value.text})


def _arguments(value: Planted, how: str) -> str:
    """As a model writes them that has made a value up, or remembers one it should not."""
    return json.dumps({"to": value.text, "how": how})


async def _writes_nonsense(one: Confidant) -> None:
    """Frames that are none, in the middle of a conversation; and a hello that nobody believes."""
    texts = [
        '{"type": "message", "text": "' + one.plants().text,
        json.dumps({"type": one.plants().text}),
        json.dumps({"type": "message", "id": one.plants().text, "text": one.plants().text}),
        json.dumps({"type": "message", "id": str(uuid4()), "text": one.plants().text * 1000}),
        json.dumps({"type": "rate", "message": str(uuid4()), "score": one.plants().text}),
        json.dumps({"type": "contact", "email": f"{one.plants().text} at home"}),
    ]
    for text in texts:
        before = len(one.tab.frames)
        await one.tab.send_raw(text)
        await one.tab.until(lambda before=before: len(one.tab.frames) > before)
    claims = (
        {"sub": one.plants().text, "exp": 1},
        {"sub": "x", "name": f"\n{one.plants().text}"},
        {"aud": "x"},
    )
    for claim in claims:
        facts = {"sub": one.plants().text, **claim}
        token = identity(one.stage.secret, **facts)  # type: ignore[arg-type]
        tab = Tab(one.stage.ports, SITE, lambda token=token: {"identity": token})
        tab.open()
        await tab.until(lambda tab=tab: 4401 in tab.closes)
        await tab.close()


def _breaks_a_statement(stage: Stage, value: Planted) -> None:
    """PostgreSQL would log the whole of it."""
    with stage.postgres.connect() as database, suppress(psycopg.errors.DivisionByZero):
        database.execute(sql.SQL("SELECT 1/0 WHERE {} <> ''").format(sql.Literal(value.text)))


def _visits(stage: Stage, one: Confidant) -> None:
    """Pages that do not exist, or not so."""
    for path in ("/widget/{}/", "/desk/?q={}", "/nowhere/{}", "/admin/login/?next={}", "/widget.js?x={}"):
        headers = {"User-Agent": one.plants().text, "Referer": one.plants().text}
        with closing(HTTPConnection("127.0.0.1", stage.ports[0], timeout=10)) as door:
            door.request("GET", path.format(quote(one.plants().text)), headers=headers)
            assert door.getresponse().status < 500


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
