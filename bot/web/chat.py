"""The widget's pages: the loader that sites put on their pages, and the frame it opens."""

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from accounts.models import Site
from bot.privacy import policy
from bot.privacy.placeholders import KINDS
from bot.web.doors import own_origin
from bot.web.session import locale_of


@require_safe
@cache_control(public=True, max_age=300)
def loader(request: HttpRequest) -> HttpResponse:
    path = finders.find("widget/loader.js")
    if path is None:
        raise Http404
    with open(path, encoding="utf-8") as script:
        response = HttpResponse(script.read(), content_type="text/javascript; charset=utf-8")
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Access-Control-Allow-Origin"] = "*"
    return response


@require_safe
@xframe_options_exempt
def frame(request: HttpRequest, site: str) -> HttpResponse:
    """The chat itself; only the site's own pages may put it in a frame."""
    found = get_object_or_404(Site, key=site)
    parents = [own_origin(), *found.origins]
    facts = {
        "site": found,
        "locale": locale_of(request.GET.get("locale")),
        "parent_origins": parents,
        # What the sheet "Your data" may promise: kinds that the site keeps are not hidden from anybody.
        "hidden": sorted(set(KINDS) - policy.of(found).kinds("keep")),
    }
    response = render(request, "widget/frame.html", facts)
    response["Content-Security-Policy"] = _policy(parents)
    return response


def _policy(parents: list[str]) -> str:
    """Nothing but our own files, no script from a string, and no page around it but the site's."""
    socket = settings.PUBLIC_URL.replace("http", "ws", 1)
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src 'self' {socket}",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {' '.join(parents)}",
            "require-trusted-types-for 'script'",
            "trusted-types dompurify frontdesk",
        ]
    )
