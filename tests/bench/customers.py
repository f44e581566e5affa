"""Customers who each talk on a socket of their own, one message after the other."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

from tests.bench.product import Product
from tests.product import ORIGIN, identity

TURN_SECONDS = 60
MESSAGES_A_MINUTE = 20  # of one customer: bot/web/rates.py
HELLO = "Good morning, I am looking for a jacket for my next walk."
SAID = (
    "Could you please tell me whether the blue rain jacket is warm enough for walks in late autumn?",
    "And how does it compare with the green one that you showed on your page last week?",
    "My old boots are worn out, what would you take for a long weekend in the hills?",
    "How should I wash it so that the water keeps running off and the colours stay as they are?",
)


@dataclass
class Turn:
    """What a customer saw of one turn, by the load generator's clock."""

    sent: float
    id: str = ""
    accepted: float | None = None
    first_text: float | None = None
    ended: float | None = None
    shown: str = ""
    reply: str | None = None
    outcome: str = ""
    source: str = ""

    @property
    def seconds(self) -> float:
        """From message to final; what never ended took for ever."""
        return self.ended - self.sent if self.ended else float("inf")


class Customer:
    """One customer on one socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def say(self, text: str, shown: asyncio.Event | None = None) -> Turn:
        """Send a message and read on until its turn is over, or for a minute; `shown` is set at its text."""
        message = json.dumps({"type": "message", "id": str(uuid4()), "text": text})
        turn = Turn(sent=time.perf_counter())
        await self._socket.send(message)
        with suppress(TimeoutError):
            async with asyncio.timeout(TURN_SECONDS):
                while turn.ended is None:
                    frame = await self._socket.recv()
                    _read(turn, json.loads(frame), time.perf_counter())
                    if shown and turn.first_text:
                        shown.set()
        return turn

    async def ready(self) -> None:
        async for text in self._socket:
            if json.loads(text)["type"] == "ready":
                return


@asynccontextmanager
async def arriving(product: Product, number: int) -> AsyncIterator[Customer]:
    """A customer who has said hello."""
    async with connect(product.socket, origin=ORIGIN, compression=None, ping_interval=None) as socket:
        signed = identity(product.secret, f"customer-{number}")
        await socket.send(json.dumps({"type": "hello", "identity": signed}))
        customer = Customer(socket)
        await customer.ready()
        yield customer


def _read(turn: Turn, frame: dict[str, Any], now: float) -> None:
    match frame["type"]:
        case "accepted":
            turn.id, turn.accepted = frame["turn"], now
        case "delta":
            turn.first_text = turn.first_text or now
            turn.shown += frame["text"]
        case "reset":
            turn.shown = ""
        case "final":
            turn.ended, turn.reply, turn.outcome = now, frame["message"]["text"], frame["state"]
            turn.source = frame["message"].get("source", "")
