"""A shop of the tests' own: a tool whose effect can be counted, and tools that know secrets."""

import os
import time
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel

from bot.tools.registry import Card, Private, Proposal, ToolContext, ToolError, ToolResult, tool
from tests.faults import effects, planted

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


class Profile(BaseModel):
    """What the site knows of a customer, and what its staff have noted."""

    name: Annotated[str, Private("PERSON")]
    email: Annotated[str, Private("EMAIL")]
    phone: Annotated[str, Private("PHONE")]
    address: Annotated[str, Private("ADDRESS")]
    note: str


@tool(verified=True)
def profile(context: ToolContext) -> ToolResult:
    """Tell what the site knows of the customer."""
    known = planted.known_as(context.customer or "")
    facts = Profile(
        name=known.name.text,
        email=known.email.text,
        phone=known.phone.text,
        address=known.address.text,
        note=" ".join(planted.sentence(value) for value in known.note),
    )
    card = {"title": known.name.text, "lines": [known.address.text, facts.note]}
    return ToolResult(facts, Card("profile", card))


@tool()
def tell(
    context: ToolContext,
    to: Annotated[str, "to whom"],
    how: Annotated[str, "well, refused or broken"] = "well",
) -> ToolResult:
    """Tell somebody something; says itself what it was given, also when it fails."""
    with (Path(os.environ["FAULTS_FOLDER"]) / "told").open("a") as file:
        file.write(f"{to}\n")
    if how == "refused":
        raise ToolError(f"Nobody is known as {to}.")
    if how == "broken":
        raise RuntimeError(f"cannot reach {to}")
    return ToolResult({"told": True, "note": f"It was sent to {to}."}, Card("told", {"title": to}))


def propose_sending(context: ToolContext, to: str) -> Proposal:
    return Proposal(f"Send to {to}?", (f"To: {to}", "Tomorrow"))


@tool(changes=propose_sending)
def send(context: ToolContext, to: Annotated[str, "an address"]) -> ToolResult:
    """Send a parcel."""
    return ToolResult({"sent": True, "note": f"On its way to {to}."})


TOOLS = [cancel, weather, profile, tell, send]
