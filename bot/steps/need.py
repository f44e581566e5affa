"""What it takes to answer a turn: by its question, the site's tools and the conversation before it."""

from bot.steps import difficulty, earlier
from bot.steps.difficulty import Need, Thing
from bot.steps.work import Work
from bot.tools import registry


def of(work: Work, dearest: str) -> Need:
    """The need of a turn; the conversation is not asked where the question alone takes the dearest class."""
    tools = _of_the_site(verified=work.conversation.customer.verified)
    need = difficulty.of(work.question, tools)
    if work.approved:
        # What was done is only to be worded; whoever proposed it has understood the question.
        return need
    if need.model_class in ("reasoning", dearest):
        return need
    return need.with_signs(earlier.signs(work, [tool.name for tool in tools]))


def _of_the_site(*, verified: bool) -> frozenset[Thing]:
    """The tools that the site has added and this customer may use."""
    return frozenset(
        Thing(tool.name, tool.description, tool.verified)
        for tool in registry.offered().values()
        if tool.run.__module__ not in registry.BUILT_IN and (verified or not tool.verified)
    )
