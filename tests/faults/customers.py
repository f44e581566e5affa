"""Customers whose tabs keep the socket's contract to the letter, and remember every frame.

A tab shows the event after the last one it has shown and no other; on a gap it asks `resume`; `reset` starts
over; after a `ready` with a turn under way it asks for that turn from 0. It reconnects for ever, to any web
process, and sends again, with the same uuid, what was not accepted.
"""

import asyncio
import contextlib
import itertools
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.faults.reading import Frame, Said, Turn
from tests.product import ORIGIN, identity

FIRST_WAIT = 0.1  # before the second try to connect; doubled up to
LONGEST_WAIT = 2.0
ASK_AGAIN = 1.0  # after a `resume` that closed no gap
STEADY = 5.0  # a connection that lasted so long was a good one
PING_EVERY = 5.0
PONG_WITHIN = 10.0
OPEN_WITHIN = 10.0
BAD_TOKEN = 4401


class Tab:
    """One browser tab; use it as an asynchronous context manager."""

    def __init__(self, ports: list[int], site: str, hello: Callable[[], Frame], web: int = 0) -> None:
        self.frames: list[tuple[float, Frame]] = []
        self.said: dict[str, Said] = {}
        self.turns: dict[str, Turn] = {}
        self.closes: list[int] = []  # the codes of the connections that have ended
        self.resumes = self.delayed = 0
        self.token = ""
        self.stays = True  # until it is closed; then nobody is owed anything
        self._addresses = itertools.cycle(
            f"ws://127.0.0.1:{port}/ws/chat/{site}/" for port in ports[web:] + ports[:web]
        )
        self._hello = hello
        self._socket: ClientConnection | None = None
        self._news = asyncio.Condition()
        self._life: asyncio.Task[None] | None = None
        self._failures = 0
        self._later: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Tab":
        self.open()
        await self.until(lambda: self.live)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def open(self) -> None:
        self._life = asyncio.create_task(self._live())

    async def close(self) -> None:
        self.stays = False
        tasks = [*self._later, *([self._life] if self._life else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What a person does

    async def say(self, text: str, id: str | None = None) -> Said:
        """Type a message; with an `id` that was said before, press the button once more."""
        said = Said(id or str(uuid4()), text, time.time())
        said = self.said.setdefault(said.id, said)
        await self._post(said)
        return said

    async def send(self, type: str, **body: Any) -> None:
        """A frame that is not sent again when it is lost."""
        with contextlib.suppress(ConnectionClosed):
            if self._socket and self.live:
                await self._socket.send(json.dumps({"type": type, **body}))

    async def send_raw(self, text: str) -> None:
        """What a broken widget may write."""
        assert self._socket
        await self._socket.send(text)

    def drop(self) -> None:
        """Lose the network."""
        if self._socket:
            self._socket.transport.abort()

    # What a person sees

    @property
    def live(self) -> bool:
        return self._socket is not None and self.token != "" and self._failures == 0

    @property
    def connections(self) -> int:
        return sum(frame["type"] == "ready" for _, frame in self.frames)

    def of(self, kind: str) -> list[Frame]:
        return [frame for _, frame in self.frames if frame["type"] == kind]

    def turn(self, said: Said) -> Turn | None:
        """The turn that answers a message; None while it is not accepted, or when a person has it."""
        turn = said.accepted[0]["turn"] if said.accepted else None
        return self._turn(turn) if turn else None

    async def until(self, seen: Callable[[], Any], seconds: float = 30) -> Any:
        """Wait until a look at this tab finds something."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(seen)
        found = seen()
        assert found, f"not seen within {seconds} s; the last frames: {self._tail()}"
        return found

    async def accepted(self, said: Said, seconds: float = 30) -> str | None:
        await self.until(lambda: said.accepted, seconds)
        turn: str | None = said.accepted[0]["turn"]
        return turn

    async def text(self, said: Said, seconds: float = 30) -> str:
        """Wait for the first text of the answer."""
        turn = await self.until(lambda: (turn := self.turn(said)) and turn.text and turn, seconds)
        return str(turn.text)

    async def reply(self, said: Said, seconds: float = 60) -> Turn:
        """Wait for the end of the answer."""
        found: Turn = await self.until(
            lambda: (turn := self.turn(said)) and turn.ended_at is not None and turn, seconds
        )
        return found

    @property
    def rests(self) -> bool:
        """Whether nothing is owed to this tab."""
        sent = all(said.accepted or said.rejected for said in self.said.values())
        return sent and all(turn.ended_at is not None for turn in self.turns.values())

    # The contract

    async def _live(self) -> None:
        tries = 0
        while True:
            begun = time.monotonic()
            try:
                await self._connection()
            except (OSError, InvalidStatus, TimeoutError, EOFError) as error:
                self.closes.append(getattr(error, "errno", None) or 0)
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
                self.closes.append(code)
                if code == BAD_TOKEN:
                    self.token = ""
            self._socket = None
            self._failures += 1
            await self._tell()
            tries = 1 if time.monotonic() - begun > STEADY else tries + 1
            longest = min(LONGEST_WAIT, FIRST_WAIT * 2**tries)
            await asyncio.sleep(random.uniform(FIRST_WAIT / 2, longest))

    async def _connection(self) -> None:
        socket = await connect(
            next(self._addresses),
            origin=ORIGIN,  # type: ignore[arg-type]
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_WITHIN,
            close_timeout=1,
            max_size=2**20,
        )
        try:
            self._socket = socket
            known = {"token": self.token} if self.token else {}
            await socket.send(json.dumps({"type": "hello", **self._hello(), **known}))
            pings = asyncio.create_task(self._ping(socket))
            try:
                while True:
                    async with asyncio.timeout(PING_EVERY + PONG_WITHIN):
                        text = await socket.recv()
                    await self._take(json.loads(text))
            finally:
                pings.cancel()
        finally:
            socket.transport.abort()

    async def _ping(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(PING_EVERY)
                if self._failures == 0:
                    await socket.send('{"type": "ping"}')
                for turn in self.turns.values():
                    if turn.early and turn.ended_at is None:
                        await self._resume(turn)

    async def _post(self, said: Said) -> None:
        await self.send("message", id=said.id, text=said.text)

    async def _take(self, frame: Frame) -> None:
        self.frames.append((time.time(), frame))
        match frame["type"]:
            case "ready":
                await self._ready(frame)
            case "accepted":
                await self._accept(frame)
            case "rejected":
                await self._reject(frame)
            case _ if "seq" in frame:
                await self._event(frame)
        await self._tell()

    async def _ready(self, frame: Frame) -> None:
        self.token, self._failures = frame["token"], 0
        for message in frame["messages"]:
            turn = self.turns.get(message.get("turn", ""))
            if turn and turn.ended_at is None:
                turn.find(message["text"])
        if under_way := frame["turn"]:
            await self._resume(self._turn(under_way["id"]), after=0)
        for said in self.said.values():
            if not said.accepted and not said.rejected:
                await self._post(said)

    async def _accept(self, frame: Frame) -> None:
        said = self.said.get(frame["id"])
        if said:
            said.accepted.append(frame)
        if frame["turn"]:
            self._turn(frame["turn"])

    async def _reject(self, frame: Frame) -> None:
        """Closed in another tab, or too fast, is no refusal: it is said again, then or later."""
        said = self.said.get(frame["id"])
        if said and frame["code"] == "closed":
            await self._post(said)
        elif said and frame["code"] == "rate_limited":
            self.delayed += 1
            wait = datetime.fromisoformat(frame["retry_at"]) - datetime.now(UTC)
            later = asyncio.create_task(self._post_later(said, max(0.1, wait.total_seconds())))
            self._later.add(later)
            later.add_done_callback(self._later.discard)
        elif said:
            said.rejected.append(frame)

    async def _post_later(self, said: Said, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._post(said)

    async def _event(self, event: Frame) -> None:
        turn = self._turn(event["turn"])
        gap = turn.take(event)
        if gap and time.monotonic() - turn.asked_at > ASK_AGAIN:
            await self._resume(turn)

    async def _resume(self, turn: Turn, after: int | None = None) -> None:
        turn.asked_at, turn.resumed = time.monotonic(), True
        self.resumes += 1
        if self._socket:
            wanted = {"type": "resume", "turn": turn.id, "after": turn.last if after is None else after}
            await self._socket.send(json.dumps(wanted))

    def _turn(self, id: str) -> Turn:
        return self.turns.setdefault(id, Turn(id))

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _tail(self) -> str:
        told = [frame for _, frame in self.frames if frame["type"] != "pong"]
        owed = [said.id for said in self.said.values() if not said.accepted and not said.rejected]
        return (
            f"{'; '.join(json.dumps(frame)[:160] for frame in told[-6:])}; not accepted: {owed};"
            f" too fast {self.delayed} times;"
            f" {self.connections} connections, closed by {self.closes}"
        )


class Customer:
    """Somebody with any number of tabs; verified, so that all of them share one conversation."""

    def __init__(self, ports: list[int], site: str, secret: str, sub: str) -> None:
        self.sub, self.tabs = sub, list[Tab]()
        self._ports, self._site, self._secret = ports, site, secret

    def tab(self, web: int = 0) -> Tab:
        tab = Tab(self._ports, self._site, lambda: {"identity": identity(self._secret, self.sub)}, web)
        self.tabs.append(tab)
        return tab
