"""A shop of the tests' own: one tool changes something that can be counted, and may be slow to say so."""

import os
import time
from pathlib import Path
from typing import Annotated

from bot.tools.registry import Proposal, ToolContext, ToolResult, tool
from tests.faults import effects

HOLD_SECONDS = 60


def propose(context: ToolContext, number: str) -> Proposal:
    return Proposal(f"Cancel order {number}?")


@tool(verified=True, changes=propose)
def cancel(context: ToolContext, number: Annotated[str, "the order's number"]) -> ToolResult:
    """Cancel an order of the customer."""
    folder = Path(os.environ["FAULTS_FOLDER"])
    with effects.path(folder).open("a") as file:
        file.write(f"{context.customer} {number}\n")
    ends = time.monotonic() + HOLD_SECONDS
    while effects.hold(folder).exists() and time.monotonic() < ends:
        time.sleep(0.01)
    return ToolResult({"cancelled": True, "number": number})


@tool()
def weather(context: ToolContext, place: Annotated[str, "a town"]) -> ToolResult:
    """Tell the weather, which changes nothing."""
    return ToolResult({"place": place, "sky": "clear"})


TOOLS = [cancel, weather]
