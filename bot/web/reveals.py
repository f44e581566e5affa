"""The desk's door to private values: one at a time, never kept by a browser or proxy."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from bot.desk import reveal
from bot.errors import BotError, Rejected, Unknown
from bot.web import desk_words, rates
from bot.web.desk_pages import agent_of, page, staff_only

_REFUSALS: dict[type[BotError], tuple[int, str]] = {
    reveal.NotAllowed: (403, "reveal_no_right"),
    reveal.NoReason: (400, "reveal_no_reason"),
    Rejected: (429, "reveal_often"),
}


@require_POST
@staff_only
def show(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """One value (`placeholder`) or one message (`message`), for a `reason`."""
    agent = agent_of(request)
    try:
        if reveal.allowed(agent):
            rates.check_reveal(agent)
        return JsonResponse({"text": _text(agent, conversation_id, request)})
    except (reveal.NotAllowed, reveal.NoReason, Rejected) as error:
        status, word = _REFUSALS[type(error)]
        return JsonResponse({"problem": desk_words.table()[word]}, status=status)


@require_GET
@staff_only
def history(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Who has seen what of a conversation."""
    try:
        found = reveal.history(agent_of(request), conversation_id)
    except reveal.NotAllowed:
        return HttpResponse(status=403)
    return page(request, "desk/_revealed.html", {"revealed": found})


def _text(agent: User, conversation_id: UUID, request: HttpRequest) -> str:
    form, reason = request.POST, request.POST.get("reason", "")
    if "message" not in form:
        return reveal.value(agent, conversation_id, form.get("placeholder", ""), reason)
    try:
        uuid = UUID(form["message"])
    except ValueError:
        raise Unknown("no such message") from None
    return reveal.message(agent, conversation_id, uuid, reason)
