"""Browsers lose their network, do not read, say things twice; web processes are killed or restarted."""

import asyncio
import json
import signal
import socket
from contextlib import ExitStack

import psutil
import pytest
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from tests.faults.customers import Customer
from tests.faults.play import LONG, PACE, QUESTION, Play, all_answered, streaming, tabs_of
from tests.faults.stage import ANSWER, SITE, Stage
from tests.product import ORIGIN, identity
from tests.upstream import Reply

RESTART = 1012
MEGABYTE = 2**20


async def test_answer_is_whole_when_the_socket_drops_at_each_tenth(play: Play) -> None:
    """And in another tab, on the other web process, that comes when the first one goes."""
    play.stage.upstream.default = Reply(LONG, pace=PACE)

    async def talk(tenth: int) -> None:
        customer = play.customer()
        async with customer.tab(0) as tab:
            said = await tab.say(QUESTION)
            turn = await tab.until(lambda: tab.turn(said))
            await tab.until(lambda: len(turn.text) >= len(LONG) * tenth / 10)
            tab.drop()
            async with customer.tab(1) as other:
                there = (await other.until(lambda: other.turns))[turn.id]
                await asyncio.gather(tab.reply(said), other.until(lambda: there.ended_at is not None))
                assert tab.connections >= 2
                assert (turn.reply, there.reply) == (LONG, LONG)

    await asyncio.gather(*(talk(tenth) for tenth in range(10)))
    await play.judge()


async def test_message_is_stored_once_when_sent_five_times_at_once(play: Play) -> None:
    customer = play.customer()
    async with customer.tab(0) as one, customer.tab(1) as other:
        said = await one.say(QUESTION)
        again = [one.say(QUESTION, said.id), one.say(QUESTION, said.id)]
        elsewhere = await other.say(QUESTION, said.id)
        await asyncio.gather(*again, other.say(QUESTION, said.id))
        await one.until(lambda: len(said.accepted) == 3)
        await other.until(lambda: len(elsewhere.accepted) == 2)
        turn = await one.reply(said)
        assert turn.text == ANSWER
        found = await play.judge()
    assert len(found.turns) == 1
    assert len(play.stage.upstream.completions) == 1


@pytest.mark.thorough
async def test_hundred_tabs_that_never_read_harm_nobody(play: Play) -> None:
    """One customer's hundred tabs, whose kernel takes 4 KiB each, while an answer of 120 KiB streams."""
    stage, long = play.stage, " ".join(["It is warm and dry."] * 6_000)
    customer = play.customer()
    web = psutil.Process(stage.webs[0].pid)
    before = web.memory_info().rss
    with ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(await asyncio.to_thread(_deaf_tab, stage, customer))
        stage.upstream.script(Reply(long))
        async with customer.tab(0) as tab, play.tab(web=0) as somebody:
            said = await tab.say(QUESTION)
            await tab.text(said)
            turn = await somebody.reply(await somebody.say(QUESTION), 10)
            assert turn.text == ANSWER
            assert (await tab.reply(said)).text == long
            # Whoever does not read is let go, and what waited for them with it.
            await stage.sees(lambda: _sockets(web, stage.ports[0]) == 2, 60)
            assert web.memory_info().rss - before < 200 * MEGABYTE
            await play.judge()


def _deaf_tab(stage: Stage, customer: Customer) -> socket.socket:
    """Says hello, and reads nothing any more."""
    protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{stage.ports[0]}/ws/chat/{SITE}/"), origin=ORIGIN)
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    opened.settimeout(10)
    opened.connect(("127.0.0.1", stage.ports[0]))
    protocol.send_request(protocol.connect())
    opened.sendall(b"".join(protocol.data_to_send()))
    while not protocol.events_received():
        protocol.receive_data(opened.recv(4096))
    hello = {"type": "hello", "identity": identity(stage.secret, customer.sub)}
    protocol.send_text(json.dumps(hello).encode())
    opened.sendall(b"".join(protocol.data_to_send()))
    opened.recv(100)  # the beginning of `ready`: it has joined
    return opened


def _sockets(web: psutil.Process, port: int) -> int:
    """How many browsers a web process has."""
    ends = [end for end in web.net_connections("tcp") if end.laddr.port == port]
    return sum(end.status == psutil.CONN_ESTABLISHED for end in ends)


@pytest.mark.thorough
async def test_five_hundred_tabs_come_back_when_their_web_process_is_killed(play: Play) -> None:
    stage = play.stage
    async with tabs_of(play, 500, web=0), streaming(play) as talks:
        await stage.do(stage.webs[0].kill)
        await all_answered(talks)
        await asyncio.gather(*(tab.until(lambda tab=tab: tab.live) for tab in play.tabs))
        await play.judge()


@pytest.mark.thorough
async def test_tabs_are_told_to_come_back_when_their_web_process_is_told_to_go(play: Play) -> None:
    stage = play.stage
    async with streaming(play) as talks:
        leaving = stage.webs[0]
        leaving.send(signal.SIGTERM)
        await asyncio.to_thread(leaving.wait, 12)
        await all_answered(talks)
        told = [tab for tab, _ in talks if tab.closes]
        assert told
        assert {tab.closes[0] for tab in told} == {RESTART}
        await play.judge()
