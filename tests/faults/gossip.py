"""A model that talks about everything it is told, and customers who tell it what is nobody's business."""

import asyncio
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from tests.faults import planted
from tests.faults.customers import Tab
from tests.faults.planted import Planted
from tests.faults.reading import Said, Turn
from tests.faults.stage import SITE, Stage
from tests.product import identity
from tests.upstream import Body, Reply

PATIENCE = 90.0  # seconds, for a machine that has other work, too
_PLACEHOLDER = re.compile(r"<([A-Z][A-Z_]*)_([0-9]+)>")
# As models bend them; the last one stands for nothing.
_BENDS: tuple[Callable[[str], str], ...] = (
    str,
    str.lower,
    lambda written: f"**{written}**",
    lambda written: f"`{written}`",
    lambda written: written.strip("<>"),
    lambda written: written.replace("_", r"\_"),
    lambda written: f"{written}'s",
    lambda written: re.sub(r"[0-9]+", "999", written),
)


class Gossip:
    """Puts every placeholder it sees into its answers, and into the arguments of tools."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, body: Body) -> Reply:
        messages = body["messages"]
        rng = random.Random(f"{self._seed} {len(messages)} {messages[-1]['content']}")
        seen = [match[0] for match in _PLACEHOLDER.finditer(json.dumps(messages[-4:], ensure_ascii=False))]
        if messages[-1]["role"] == "user" and rng.random() < 0.5:
            return Reply("One moment.", tools=(self._tool(rng, seen),))
        named = ", ".join(rng.choice(_BENDS)(written) for written in seen[-5:])
        return Reply(f"I have noted {named or 'nothing'}. Is there anything else?")

    def _tool(self, rng: random.Random, seen: list[str]) -> tuple[str, str]:
        name = rng.choice(("profile", "tell", "tell", "send"))
        if name == "profile":
            return name, "{}"
        given = {"to": rng.choice(seen or ["somebody"])}
        if name == "tell":
            given["how"] = rng.choice(("well", "refused", "broken"))
        return name, json.dumps(given)


@dataclass
class Confidant:
    """One customer who tells private things, with everything that was planted on them."""

    stage: Stage
    rng: random.Random
    number: int
    values: list[Planted] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.zh = self.number % 3 == 0
        login = planted.one("EMAIL", self.rng)
        self.sub = login.text if self.number % 2 else f"{self.stage.number}-{self.number}-{self.rng.random()}"
        self.known = planted.known_as(self.sub)
        self.values += [*self.known.values, *([login] if self.sub == login.text else [])]
        claims = {"name": self.known.name.text, "email": self.known.email.text}
        self.tab = Tab(
            self.stage.ports,
            SITE,
            lambda: {"identity": identity(self.stage.secret, self.sub, **claims), "locale": self.locale},
            self.number % 2,
        )

    @property
    def locale(self) -> str:
        return "zh" if self.zh else "en"

    async def talks(self, turns: int) -> None:
        """So many turns, each after the other; then a person, in some conversations."""
        async with self.tab:
            contact = self.plants("EMAIL")
            await self.tab.send("contact", email=contact.text)
            for _ in range(turns):
                said = await self.says()
                if await self.tab.accepted(said, PATIENCE) is None:
                    # A change nobody knows the end of has called a person, who is not needed here.
                    await self.tab.send("human", cancel=True)
                turn = await self.tab.until(lambda said=said: self._answer(said), PATIENCE)
                await self._reacts(turn.finals[-1] if turn.finals else {})
            if self.number % 5 == 0:
                await self._meets_a_person()

    def _answer(self, said: Said) -> Turn | None:
        """The turn that has answered it, also where it belongs to none: nobody else's came later."""
        turn = self.tab.turn(said)
        if turn is None:
            later = [one for one in self.tab.turns.values() if (one.ended_at or 0) > said.at]
            turn = later[-1] if later else None
        return turn if turn and turn.ended_at else None

    async def says(self) -> Said:
        order = f"HP-{self.rng.randint(10_000, 99_999)}"
        text, values = planted.message(self.rng, order, self.zh)
        self.values += values
        self.orders.append(order)
        return await self.tab.say(text)

    async def _reacts(self, final: Body) -> None:
        """Approves what is proposed, and says what they think of it."""
        if final.get("state") == "awaiting_approval":
            call = self.tab.of("approval")[-1]["call"]
            await self.tab.send("approve", call=call, approved=True)
            await self.tab.until(
                lambda: any(f["call"] == call for f in self.tab.of("approval_state")), PATIENCE
            )
        elif final and self.rng.random() < 0.3:
            comment = planted.sentence(self.plants())
            await self.tab.send(
                "rate", message=final["message"]["id"], score=-1, comment=comment, ref=str(uuid4())
            )

    async def _meets_a_person(self) -> None:
        desk = await asyncio.to_thread(lambda: self.stage.desk)
        talk = self.tab.of("ready")[-1]["conversation"]["id"]
        assert await asyncio.to_thread(desk.take, talk) == "ok"
        assert await self.tab.accepted(await self.says()) is None
        for kind in ("EMAIL", "PHONE", "PERSON"):
            said = planted.sentence(self.plants(kind))
            assert await asyncio.to_thread(desk.say, talk, said) == "ok"
        await asyncio.to_thread(desk.back, talk)

    def plants(self, kind: str = "") -> Planted:
        """A value that is of this kind, else of any with a form of its own."""
        self.values.append(planted.one(kind or self.rng.choice(planted.STRUCTURED), self.rng))
        return self.values[-1]
