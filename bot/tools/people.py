from typing import Annotated

from bot.events import HandoverReason
from bot.tools.registry import ToolContext, ToolResult, tool


@tool(for_person=True)
def ask_for_human(
    context: ToolContext, reason: Annotated[HandoverReason, "why a person is needed"] = "customer_request"
) -> ToolResult:
    """Pass the conversation to a person: when the customer asks for one, or nothing else can help them."""
    return ToolResult({"handover": "A colleague will answer here."}, handover=reason)


TOOLS = [ask_for_human]
