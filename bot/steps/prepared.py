"""A prepared reply before any model is asked, where one surely fits."""

from django.conf import settings
from django.db import connection

from bot.llm.base import ToolRequest
from bot.reply import Reply
from bot.steps import canned
from bot.steps.work import Work
from bot.tools import registry, runner


def reply(work: Work) -> Reply | None:
    """The canned reply to the question; None when none surely fits or the model is to come first."""
    if settings.ANSWER_WITHOUT_MODEL != "always" or work.approved or not work.question:
        return None
    if not _may_answer_first(work.conversation.site_id):
        return None
    match = canned.best(work.conversation.site_id, work.question, work.locale)
    if match is None or not match.reply.answers_first or not canned.sure(match):
        return None
    if not show(work, match.reply.tool):
        return None
    return Reply(
        text=match.reply.answer,
        outcome="answered",
        source="canned",
        reason=f"canned {match.score:.2f}",
        cards=work.shown.cards,
    )


def show(work: Work, tool: str) -> bool:
    """Run the reply's read-only tool for its card; False when there is nothing to show."""
    if not tool:
        return True
    known = registry.offered().get(tool)
    if known is None or known.changes or (known.verified and work.bench.customer is None):
        return False
    request = ToolRequest(id="canned", name=tool, arguments="{}")
    runner.run(work.bench, request, f"canned_{work.attempt}")
    return bool(work.shown.cards)


def _may_answer_first(site_id: int) -> bool:
    """Asked before the search, which costs ten times as much."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM bot_cannedreply WHERE site_id = %s AND enabled AND answers_first LIMIT 1",
            [site_id],
        )
        return cursor.fetchone() is not None
