"""A shop of the tests' own: one tool changes something that can be counted, and may be slow to say so."""

import os
import time
from pathlib import Path
from typing import Annotated

from bot.tools.registry import Proposal, ToolContext, ToolResult, tool

HOLD_SECONDS = 60


def effects(folder: Path) -> list[str]:
    """What was done so far: the customer and the order of each effect."""
    path = folder / "effects"
    return path.read_text().splitlines() if path.exists() else []


def hold(folder: Path) -> Path:
    """While this file exists a tool that has done its work does not come back."""
    return folder / "hold"


def propose(context: ToolContext, number: str) -> Proposal:
    return Proposal(f"Cancel order {number}?")


@tool(verified=True, changes=propose)
def cancel(context: ToolContext, number: Annotated[str, "the order's number"]) -> ToolResult:
    """Cancel an order of the customer."""
    folder = Path(os.environ["FAULTS_FOLDER"])
    with (folder / "effects").open("a") as file:
        file.write(f"{context.customer} {number}\n")
    ends = time.monotonic() + HOLD_SECONDS
    while hold(folder).exists() and time.monotonic() < ends:
        time.sleep(0.01)
    return ToolResult({"cancelled": True, "number": number})


@tool()
def weather(context: ToolContext, place: Annotated[str, "a town"]) -> ToolResult:
    """Tell the weather, which changes nothing."""
    return ToolResult({"place": place, "sky": "clear"})


TOOLS = [cancel, weather]
