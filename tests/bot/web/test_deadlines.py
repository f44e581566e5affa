"""A turn ends in time whatever hangs, and whatever is told meanwhile is honest."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from bot import keeping, leases
from bot import turn as turns
from bot.llm.base import ToolRequest
from bot.llm.scripted import Scripted
from bot.models import Message, Turn
from bot.tools import registry
from bot.tools.registry import ToolContext, ToolResult, tool
from tests.bot.conftest import Connect

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A keeper that looks often, in place of one that may be in the middle of a long pause."""
    monkeypatch.setattr(keeping, "RENEW_SECONDS", 0.1)
    keeping.keeper.cache_clear()
    yield
    keeping.keeper.cache_clear()


@pytest.fixture
def impatient(settings: Settings, monkeypatch: pytest.MonkeyPatch, often: None) -> None:
    settings.TURN_DEADLINE = 1
    monkeypatch.setattr(turns, "LEAST_SECONDS", 1)
    monkeypatch.setattr(keeping, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.5)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A tool of the site that does not come back until it is let go."""
    let_go = threading.Event()

    @tool()
    def wait(context: ToolContext) -> ToolResult:
        """Wait for something that does not happen."""
        let_go.wait(60)
        return ToolResult({})

    offered = {**registry.offered(), "wait": wait}
    monkeypatch.setattr(registry, "offered", lambda: offered)
    yield let_go
    let_go.set()


async def test_a_tool_that_hangs_does_not_hold_its_turn_for_ever(
    tab: Connect, model: Scripted, worker: None, impatient: None, stuck: threading.Event
) -> None:
    # Once for every attempt there can be: a lease as short as this one may run out before the deadline.
    model.add(*[[ToolRequest("a", "wait", "{}")]] * leases.MOST_LOSSES, "Never said")
    async with tab("alice") as alice:
        await alice.say("How long will it take?")
        final = await alice.until("final")
        assert final["state"] == "degraded"
        assert await Message.objects.filter(author="bot").acount() == 1
        stuck.set()
        assert await asyncio.to_thread(keeping.keeper().wait_until_free, 10)
        await alice.send("ping")
        await alice.until("pong")
        assert [frame["type"] for frame in alice.frames].count("final") == 1
    assert (await Turn.objects.aget()).outcome == "degraded"


async def test_who_has_seen_nothing_for_long_is_told_that_work_goes_on(
    tab: Connect, model: Scripted, worker: None, often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "SILENT_SECONDS", 0.3)
    go_on = threading.Event()
    model.add([go_on, "At last."])
    async with tab("alice") as alice:
        await alice.say("Think hard about purple submarines")
        for _ in range(2):
            await alice.until("working", label="Still working on it…")
        go_on.set()
        assert (await alice.until("final"))["state"] == "answered"
