"""What every page of the desk shares: who may see it, and what is written on it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache

from accounts.models import User
from bot.desk import reveal
from bot.errors import Unknown
from bot.web import desk_words

View = Callable[..., HttpResponse]
THEMES = ("system", "light", "dark")


def staff_only(view: View) -> View:
    """Only signed-in staff; their pages are theirs alone and never kept by a browser or proxy."""

    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, **address: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        try:
            response = view(request, **address)
        except Unknown as error:
            raise Http404 from error
        patch_vary_headers(response, ["HX-Request"])
        return response

    return guarded


def page(request: HttpRequest, name: str, facts: dict[str, Any], status: int = 200) -> HttpResponse:
    theme = request.COOKIES.get("frontdesk_theme", "system")
    context = {
        **facts,
        "w": desk_words.table(),
        "locale": desk_words.locale(),
        "script_words": desk_words.for_scripts(),
        "theme": theme if theme in THEMES else "system",
        "may_reveal": request.user.is_authenticated and reveal.allowed(agent_of(request)),
        "max_chars": settings.MESSAGE_MAX_CHARS,
    }
    return render(request, name, context, status=status)


def agent_of(request: HttpRequest) -> User:
    return cast(User, request.user)


def wants_fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if not wants_fragment(request):
        return redirect(f"{reverse('desk:sign-in')}?{urlencode({'next': request.get_full_path()})}")
    # A fragment of the sign-in page would land inside the inbox: have the whole page go there.
    return HttpResponse(status=401, headers={"HX-Redirect": reverse("desk:sign-in")})
