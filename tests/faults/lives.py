"""Customers who do what customers do, at random, and a model that answers them as well as models do."""

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from tests.faults.play import Play
from tests.faults.reading import Said
from tests.upstream import Body, Fault, Reply

PAUSE = (1.0, 6.0)  # seconds between two things that somebody does
ANSWER_WITHIN = 45.0  # then they go on to something else
WORDS = ("warm", "dry", "blue", "light", "sturdy", "in", "stock", "and", "for", "rain", "walks", "today")
FAULTS: tuple[Fault, ...] = ("cut", "reset", "malformed", "error_event", "silence", "hang")


def reply_of(seed: int) -> Callable[[Body], Reply]:
    """The model: for the same question, asked so many times before, the same answer or the same fault."""
    asked: Counter[str] = Counter()
    busy = threading.Lock()

    def reply(body: Body) -> Reply:
        question = str(body["messages"][-1]["content"])
        with busy:
            asked[question] += 1
            rng = random.Random(f"{seed} {question} {asked[question]}")
        return _reply(rng, body)

    return reply


def _reply(rng: random.Random, body: Body) -> Reply:
    text = " ".join(rng.choice(WORDS) for _ in range(rng.randint(5, 60)))
    pace = rng.uniform(0.01, 0.12)
    match rng.random():
        case chance if chance < 0.06:
            return Reply(status=rng.choice([429, 500, 503]), headers={"Retry-After": "1"})
        case chance if chance < 0.14:
            return Reply(text, fault=rng.choice(FAULTS), after=rng.randint(0, 5), pace=pace)
        case chance if chance < 0.22 and body["messages"][-1]["role"] == "user":
            return Reply("", tools=(("cancel", f'{{"number": "HP-{rng.randint(1, 99999)}"}}'),))
        case chance if chance < 0.32 and body["messages"][-1]["role"] == "user":
            return Reply("", tools=(("weather", '{"place": "Bergen"}'),))
    return Reply(text, pace=pace, first_token=rng.uniform(0, 0.5))


class Life:
    """One customer, with one tab or two."""

    def __init__(self, play: Play, rng: random.Random) -> None:
        self._customer, self._stage, self._rng = play.customer(), play.stage, rng
        self._did = Counter[str]()
        self._tab = self._customer.tab(rng.randrange(2))
        self._number = 0

    async def live(self, ends: float) -> Counter[str]:
        """Do things until the time is over; how often which."""
        self._tab.open()
        deeds = [self.asks] * 6 + [
            self.bursts, self.stops, self.drops, self.moves, self.opens_another_tab, self.asks_for_a_person,
            self.is_taken_over, self.decides,
        ]  # fmt: skip
        while time.monotonic() < ends:
            await asyncio.sleep(self._rng.uniform(*PAUSE))
            deed = self._rng.choice(deeds)
            self._did[deed.__name__] += 1
            await deed()
        return self._did

    async def asks(self) -> None:
        await self._answered(await self._say())

    async def bursts(self) -> None:
        said = [await self._say() for _ in range(self._rng.randint(2, 3))]
        await self._answered(said[-1])

    async def stops(self) -> None:
        said = await self._say()
        if await self._waits(lambda: (turn := self._tab.turn(said)) and turn.text):
            await self._tab.send("stop", turn=said.accepted[0]["turn"])

    async def drops(self) -> None:
        said = await self._say()
        await asyncio.sleep(self._rng.uniform(0, 2))
        self._tab.drop()
        await self._answered(said)

    async def moves(self) -> None:
        """To another tab, in the middle of an answer."""
        said = await self._say()
        if not await self._waits(lambda: said.accepted):
            return
        await asyncio.sleep(self._rng.uniform(0, 1))
        await self._tab.close()
        self._tab = self._customer.tab(self._rng.randrange(2))
        self._tab.open()

    async def opens_another_tab(self) -> None:
        other = self._customer.tab(self._rng.randrange(2))
        other.open()
        await self.asks()
        await other.close()

    async def asks_for_a_person(self) -> None:
        await self._say()
        await asyncio.sleep(self._rng.uniform(0, 1))
        await self._tab.send("human")
        await asyncio.sleep(self._rng.uniform(0, 3))
        await self._tab.send("human", cancel=True)

    async def is_taken_over(self) -> None:
        await self._say()
        await asyncio.sleep(self._rng.uniform(0, 1))
        if ready := self._tab.of("ready"):
            conversation = ready[-1]["conversation"]["id"]
            if await asyncio.to_thread(self._stage.desk.take, conversation) == "ok":
                await asyncio.to_thread(self._stage.desk.say, conversation, "Let me look into it.")
            await asyncio.sleep(self._rng.uniform(0, 2))
            await asyncio.to_thread(self._stage.desk.back, conversation)

    async def decides(self) -> None:
        """About everything that was proposed, also what is long decided."""
        for approval in self._tab.of("approval"):
            await self._tab.send("approve", call=approval["call"], approved=self._rng.random() < 0.7)

    async def _say(self) -> Said:
        self._number += 1
        return await self._tab.say(f"Question {self._number} of {self._customer.sub}: is it warm?")

    async def _answered(self, said: Said) -> None:
        def answered() -> bool:
            turn = self._tab.turn(said)
            return turn.ended_at is not None if turn else bool(said.accepted)

        await self._waits(answered)

    async def _waits(self, seen: Callable[[], object]) -> bool:
        """Customers have patience, but not for ever; what is owed to them is the judge's to say."""
        try:
            await self._tab.until(seen, ANSWER_WITHIN)
        except AssertionError:
            self._did["lost_patience"] += 1
            return False
        return True
