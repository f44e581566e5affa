"""Do what the customer approved, before anything else is said."""

from django.db import connection

from bot import events, words
from bot.errors import Fenced
from bot.models import ToolCall
from bot.reply import Reply, leave_undone
from bot.steps.work import Work
from bot.tools import runner


def carry_out(work: Work) -> Reply | None:
    """Run the approved changes of this turn; a Reply when nobody can say whether one was done."""
    calls = _calls(work)
    for call in calls:
        begun = call.finished_at is not None or runner.carry_out(work.bench, call) is not None
        call.refresh_from_db()
        if call.state in (ToolCall.State.APPROVED, ToolCall.State.EXPIRED):
            # Not begun: the turn was stopped, or a person has taken over.
            raise Fenced
        if not begun:
            return _unsure(work, call)
    work.approved = calls
    return None


def give_up(work: Work) -> Reply | None:
    """When no model will word it: what was done is kept to be told, what nobody has begun is not done."""
    calls = work.approved or _calls(work)
    for call in calls:
        if call.state == ToolCall.State.APPROVED:
            leave_undone(work.turn)
            text = words.say("approval.undone", work.locale, title=call.title)
            return Reply(text, "degraded", "promise", reason="a change was not begun")
        if call.finished_at is None:
            return _unsure(work, call)
    work.approved = calls
    return None


def _calls(work: Work) -> list[ToolCall]:
    """Most turns do no change: to learn that must cost little."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM bot_toolcall WHERE carried_by_id = %s", [work.turn.id])
        if cursor.fetchone() is None:
            return []
    return list(ToolCall.objects.filter(carried_by=work.turn).order_by("created_at"))


def _unsure(work: Work, call: ToolCall) -> Reply:
    """It was started before and no result is known: never run blindly again, a person looks."""
    ToolCall.objects.filter(id=call.id, state=ToolCall.State.STARTED).update(state=ToolCall.State.FAILED)
    events.approval_state(work.conversation.id, call.id, "failed")
    return Reply(
        text=words.say("approval.unsure", work.locale),
        outcome="handed_over",
        source="system",
        reason="a change of unknown outcome",
        handover="tool_failure",
    )
