"""One running product for all faults; every test ends before the same judge."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from tests.faults import oracle
from tests.faults.customers import Customer, Tab
from tests.faults.oracle import Records, Staged
from tests.faults.stage import SITE, Stage


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
        verdict = await oracle.judge(self.stage, f"{self.stage.number}-%", self.customers, staged)
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


@pytest.fixture(scope="session")
def whole_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("faults"))
    try:
        yield stage
    finally:
        stage.close()


@pytest.fixture
def stage(whole_product: Stage, request: pytest.FixtureRequest) -> Stage:
    failed = request.session.testsfailed
    whole_product.reset(anew=failed > whole_product.failures)
    whole_product.failures = failed
    return whole_product


@pytest.fixture
async def play(stage: Stage) -> AsyncIterator[Play]:
    """Customers for one test, which ends with `judge`."""
    play = Play(stage)
    yield play
    await play.leave()
