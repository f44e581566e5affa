"""The desk's door to a customer's allowance: what is used, and a little more of it for a reason."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_POST

from accounts import spending
from accounts.grants import BadGrant
from bot.desk import extras
from bot.errors import Rejected
from bot.web import desk_words, rates
from bot.web.desk_pages import agent_of, page, staff_only

_PROBLEMS = {"amount": "extra_bad_amount", "expires_at": "extra_bad_days", "reason": "reveal_no_reason"}


@require_GET
@staff_only
def show(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The customer's limits and what they were given, beside the conversation."""
    facts = {
        "used": extras.read(conversation_id, desk_words.locale()),
        "conversation": conversation_id,
        "stopped": bool(spending.stopped()),
    }
    return page(request, "desk/_allowance.html", facts)


@require_POST
@staff_only
def give(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """So many `messages` for so many `days`, with a `reason`."""
    words, agent, form = desk_words.table(), agent_of(request), request.POST
    try:
        rates.check_extra(agent)
        extras.give(
            agent,
            conversation_id,
            _number(form.get("messages", "")),
            _number(form.get("days", "")),
            form.get("reason", ""),
        )
    except BadGrant as error:
        return _said(400, words[_PROBLEMS[error.field]])
    except Rejected:
        return _said(429, words["rights_often"])
    return _said(200, words["extra_given_stopped" if spending.stopped() else "extra_given"])


def _number(text: str) -> int:
    """-1, which is too little of anything, where it is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else -1


def _said(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
