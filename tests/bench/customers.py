"""Customers who each talk on a socket of their own, one message after the other."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

from tests.bench.product import Product, Speed
from tests.product import ORIGIN, identity

TURN_SECONDS = 60
MESSAGES_A_MINUTE = 20  # of one customer: bot/web/rates.py
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


async def talk(product: Product, number: int, turns: int, speed: Speed, go: asyncio.Barrier) -> list[Turn]:
    """One warm-up turn, then so many that count; conversations begin spread over one answer's length."""
    async with connect(product.socket, origin=ORIGIN, compression=None, ping_interval=None) as socket:
        await socket.send(
            json.dumps({"type": "hello", "identity": identity(product.secret, f"customer-{number}")})
        )
        await _until(socket, "ready")
        await _say(socket, "Good morning, I am looking for a jacket for my next walk.")
        await go.wait()  # all are warm
        await go.wait()  # the meters are read
        await asyncio.sleep(speed.answer_seconds * number / go.parties)
        return [await _say(socket, SAID[index % len(SAID)]) for index in range(turns)]


async def _until(socket: ClientConnection, kind: str) -> None:
    async for text in socket:
        if json.loads(text)["type"] == kind:
            return


async def _say(socket: ClientConnection, text: str) -> Turn:
    """Send a message and read on until its turn is over; a turn without `final` never ends."""
    message = json.dumps({"type": "message", "id": str(uuid4()), "text": text})
    turn = Turn(sent=time.perf_counter())
    await socket.send(message)
    with suppress(TimeoutError):
        async with asyncio.timeout(TURN_SECONDS):
            while turn.ended is None:
                frame = await socket.recv()
                _read(turn, json.loads(frame), time.perf_counter())
    return turn


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
