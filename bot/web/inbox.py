"""The desk's pages: sign in, the list, one conversation, and what an agent can do with it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import auth
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from accounts import lookups
from accounts.models import User
from bot import queue
from bot.desk import handover, inbox, transcript
from bot.errors import BotError, Rejected
from bot.web import desk_words, rates, sign_in
from bot.web.desk_pages import agent_of, page, staff_only, wants_fragment


@never_cache
def sign_in_page(request: HttpRequest) -> HttpResponse:
    target = _safe_next(request)
    if request.user.is_authenticated:
        return redirect(target)
    problem, status = "", 200
    if request.method == "POST":
        try:
            sign_in.sign_in(request, request.POST.get("email", ""), request.POST.get("password", ""))
            return redirect(target)
        except sign_in.WrongPassword:
            problem, status = "sign_in_wrong", 401
        except sign_in.TooManyFailures:
            problem, status = "sign_in_often", 429
    words = desk_words.table()
    facts = {"next": target, "problem": words.get(problem), "email": request.POST.get("email", "")}
    return page(request, "desk/sign_in.html", facts, status=status)


@never_cache
@require_safe
def admin_door(request: HttpRequest) -> HttpResponse:
    """Whom the admin does not let in: one sign-in for all staff, which slows guessing down."""
    if request.user.is_authenticated:
        raise PermissionDenied
    target = request.GET.get("next") or reverse("admin:index")
    return redirect(f"{reverse('desk:sign-in')}?{urlencode({'next': target})}")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return redirect("desk:sign-in")


@require_http_methods(["GET", "POST"])
@staff_only
def inbox_page(request: HttpRequest) -> HttpResponse:
    return _listed(request, "desk/inbox.html")


@require_http_methods(["GET", "POST"])
@staff_only
def list_fragment(request: HttpRequest) -> HttpResponse:
    return _listed(request, "desk/_list.html")


@require_GET
@staff_only
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    shown = {"t": transcript.read(agent_of(request), conversation_id)}
    if wants_fragment(request):
        return page(request, "desk/_panel.html", shown)
    return page(request, "desk/inbox.html", {**_list(request), **shown})


@require_GET
@staff_only
def refresh(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The panel again, when what the page shows (`mark`) is out of date."""
    shown = transcript.read(agent_of(request), conversation_id)
    if shown.mark == request.GET.get("mark"):
        return HttpResponse(status=204)
    return page(request, "desk/_panel.html", {"t": shown})


@require_GET
@staff_only
def earlier(request: HttpRequest, conversation_id: UUID, before: int) -> HttpResponse:
    shown = transcript.read(agent_of(request), conversation_id, before)
    return page(request, "desk/_entries.html", {"t": shown})


@require_GET
@staff_only
def message(request: HttpRequest, conversation_id: UUID, uuid: UUID) -> HttpResponse:
    facts = {"entry": transcript.entry(conversation_id, uuid), "conversation": conversation_id}
    return page(request, "desk/_entry.html", facts)


@require_POST
@staff_only
def take_over(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    force = "force" in request.POST
    return _act(
        request, conversation_id, lambda agent: handover.take_over(agent, conversation_id, force=force)
    )


@require_POST
@staff_only
def hand_back(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    return _act(request, conversation_id, lambda agent: handover.hand_back(agent, conversation_id))


@require_POST
@staff_only
def close(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    return _act(request, conversation_id, lambda agent: handover.close(agent, conversation_id))


@require_POST
@staff_only
def reply(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    text, uuid = request.POST.get("text", ""), _uuid(request.POST.get("uuid", ""))

    def say(agent: User) -> None:
        queue.scrub_message(handover.reply(agent, conversation_id, text, uuid).pk)

    return _act(request, conversation_id, say, text)


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language and appearance this browser wants."""
    response = redirect(_safe_next(request))
    chosen = request.POST.get("language")
    if chosen in dict(settings.LANGUAGES):
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, chosen, max_age=31_536_000, samesite="Lax")
    return response


def _act(
    request: HttpRequest, conversation_id: UUID, do: Callable[[User], None], draft: str = ""
) -> HttpResponse:
    """Do it and show the conversation as it is now, with the reason where it was refused."""
    agent, problem = agent_of(request), ""
    try:
        do(agent)
    except BotError as error:
        problem = _sentence(error)
    if not problem and not wants_fragment(request):
        return redirect("desk:conversation", conversation_id)
    shown = {
        "t": transcript.read(agent, conversation_id),
        "problem": problem,
        "draft": draft if problem else "",
    }
    status = 409 if problem else 200
    if wants_fragment(request):
        return page(request, "desk/_panel.html", shown, status=status)
    return page(request, "desk/inbox.html", {**_list(request), **shown}, status=status)


def _sentence(error: BotError) -> str:
    words = desk_words.table()
    if isinstance(error, handover.TakenAlready):
        return words["taken"].format(error.name)
    if isinstance(error, handover.NotYours):
        return words["not_yours"]
    if isinstance(error, Rejected):
        return words["reply_long"].format(error.facts["limit"]) if error.facts else words["reply_empty"]
    return words["gone"]


def _listed(request: HttpRequest, name: str) -> HttpResponse:
    facts = _list(request)
    return page(request, name, facts, status=429 if facts["often"] else 200)


def _list(request: HttpRequest) -> dict[str, Any]:
    """One view, or what was searched: that is posted, since logs and histories keep addresses."""
    agent, asked = agent_of(request), request.POST if "q" in request.POST else request.GET
    view, search = asked.get("view", "open"), request.POST.get("q", "").strip()[: lookups.LONGEST]
    view = view if view in inbox.VIEWS else "open"
    pages = asked.get("pages", "1")
    count = int(pages) if pages.isdecimal() and len(pages) < 4 else 1
    often = bool(search) and not rates.may_search(agent, search)
    found = inbox.Inbox([], inbox.counts(agent), more=False) if often else None
    return {
        "inbox": found or inbox.read(agent, view, search, count),
        "view": view,
        "search": search,
        "often": often,
        "pages": count,
        "views": inbox.VIEWS,
    }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _safe_next(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe else reverse("desk:inbox")
