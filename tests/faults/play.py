"""Who plays on the stage: some customers, and the judge at the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from tests.faults import oracle
from tests.faults.customers import Customer, Tab
from tests.faults.oracle import Records, Staged
from tests.faults.reading import Said
from tests.faults.stage import SITE, Stage
from tests.upstream import Reply

QUESTION = "Is the blue jacket warm?"
LONG = " ".join(f"{number} is a number." for number in range(1, 16))
PACE = 0.05  # seconds: its 60 words take three of them

Talks = list[tuple[Tab, Said]]


@dataclass
class Play:
    """One test's customers on the stage."""

    stage: Stage
    customers: list[Customer] = field(default_factory=list)

    def customer(self, name: str = "alice") -> Customer:
        sub = f"{self.stage.number}-{name}-{len(self.customers)}"
        self.customers.append(Customer(self.stage.ports, SITE, self.stage.secret, sub))
        return self.customers[-1]

    def tab(self, name: str = "alice", web: int = 0) -> Tab:
        """The one tab of a new customer."""
        return self.customer(name).tab(web)

    @property
    def tabs(self) -> list[Tab]:
        return [tab for customer in self.customers for tab in customer.tabs]

    async def judge(self, staged: Staged = Staged()) -> Records:  # noqa: B008  frozen
        verdict = await oracle.judge(self.stage, f"{self.stage.number}-", self.customers, staged)
        assert not verdict.wrong, "\n" + "\n".join(verdict.wrong)
        return verdict.records

    async def leave(self) -> None:
        for tab in self.tabs:
            await tab.close()


@asynccontextmanager
async def tabs_of(play: Play, count: int, web: int | None = None) -> AsyncIterator[list[Tab]]:
    """So many customers with a tab each, on one web process or on both."""
    tabs = [play.tab(web=number % 2 if web is None else web) for number in range(count)]
    async with AsyncExitStack() as stack:
        yield list(await asyncio.gather(*(stack.enter_async_context(tab) for tab in tabs)))


@asynccontextmanager
async def streaming(play: Play, count: int = 8) -> AsyncIterator[Talks]:
    """So many customers in the middle of an answer of three seconds."""
    play.stage.upstream.default = Reply(LONG, pace=PACE)
    async with tabs_of(play, count) as tabs:
        talks = [(tab, await tab.say(QUESTION)) for tab in tabs]
        await asyncio.gather(*(tab.text(said) for tab, said in talks))
        yield talks


async def all_answered(talks: Talks, text: str = LONG) -> None:
    turns = await asyncio.gather(*(tab.reply(said) for tab, said in talks))
    assert {frame["state"] for turn in turns for frame in turn.finals} <= {"answered"}
    assert {turn.reply for turn in turns} == {text}
