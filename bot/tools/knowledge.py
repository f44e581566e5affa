"""The tool with which the model searches the site's articles."""

from typing import Annotated

from pydantic import BaseModel

from accounts.models import Site
from bot.knowledge import search
from bot.tools.registry import ToolContext, ToolError, ToolResult, tool

CLOSE = 0.75  # of the best score: passages below are read by the model, but not named as sources


class PassageFacts(BaseModel):
    """One passage as the model reads it."""

    title: str
    url: str
    text: str


class Passages(BaseModel):
    passages: list[PassageFacts]


@tool(public=True)
def search_knowledge(
    context: ToolContext, query: Annotated[str, "the question in the customer's language, complete in itself"]
) -> ToolResult:
    """Search the help pages on policies, shipping, payment, care and so on; use it before answering."""
    if not query.strip():
        raise ToolError("The query is empty: say what to search for.")
    site_id = Site.objects.values_list("pk", flat=True).get(key=context.site)
    found = search.passages(site_id, query, context.locale)
    facts = [PassageFacts(title=one.title, url=one.url, text=one.text) for one in found]
    relevant = [one for one in found if one.score >= max(search.RELEVANT, CLOSE * found[0].score)]
    # Several passages of one article are one source.
    sources = {(one.title, one.url): {"title": one.title, "url": one.url} for one in relevant}
    return ToolResult(Passages(passages=facts), sources=tuple(sources.values()))


TOOLS = [search_knowledge]
