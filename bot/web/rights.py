"""The doors to a copy of everything about a customer, and to its end: for themselves, and for staff."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import audit, identity
from accounts.models import Customer, Site, User
from bot.desk import reveal
from bot.errors import Rejected
from bot.rights import erasure, export
from bot.web import desk_words, rates
from bot.web.desk_pages import agent_of, staff_only

View = Callable[..., HttpResponse]
TYPES = {"json": "application/json; charset=utf-8", "html": "text/html; charset=utf-8"}
# A copy opened in a browser loads nothing and runs nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; sandbox"


def bearer(request: HttpRequest, site: str) -> Customer:
    """Whose session token the request carries. Raises identity.BadToken."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else ""
    return identity.read_session(get_object_or_404(Site, key=site), given)


def refused_token() -> HttpResponse:
    return JsonResponse({"code": "unauthorized"}, status=401, headers={"WWW-Authenticate": "Bearer"})


def for_themselves(view: View) -> View:
    """Only a verified customer with a good session token; what they get is kept by nobody else.

    A token in a header is sent by nobody's browser unasked, so that there is nothing to forge.
    """

    @csrf_exempt
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, site: str, **address: Any) -> HttpResponse:
        try:
            customer = bearer(request, site)
        except identity.BadToken:
            return refused_token()
        if not customer.verified:
            return JsonResponse({"code": "not_verified"}, status=403)
        try:
            rates.check_copy(customer)
        except Rejected as error:
            return JsonResponse({"code": "rate_limited", "retry_at": error.retry_at}, status=429)
        return view(customer, **address)

    return guarded


@require_GET
@for_themselves
def copy_mine(customer: Customer, form: str) -> HttpResponse:
    return _copy(customer, form, customer, "asked for in the widget")


@require_http_methods(["DELETE"])
@for_themselves
def erase_mine(customer: Customer) -> HttpResponse:
    erasure.erase(customer, customer, "asked for in the widget")
    return HttpResponse(status=204)


def with_reason(view: View) -> View:
    """Only staff with the right to reveal, who say why.

    By POST alone: a link takes nothing in their name, and no proxy's log keeps the reason.
    """

    @require_POST
    @staff_only
    @wraps(view)
    def guarded(request: HttpRequest, customer_id: UUID, **address: Any) -> HttpResponse:
        agent = agent_of(request)
        if not reveal.allowed(agent):
            raise PermissionDenied
        reason = " ".join(request.POST.get("reason", "").split())
        if not reveal.LEAST_REASON <= len(reason) <= reveal.MOST_REASON:
            return _no(400, desk_words.table()["reveal_no_reason"])
        customer = get_object_or_404(Customer.objects.select_related("site__default_tier"), id=customer_id)
        try:
            rates.check_staff_copy(agent)
        except Rejected:
            return _no(429, desk_words.table()["rights_often"])
        return view(request, customer, reason, **address)

    return guarded


@with_reason
def copy_theirs(request: HttpRequest, customer: Customer, reason: str, form: str) -> HttpResponse:
    return _copy(customer, form, agent_of(request), reason)


@with_reason
def erase_theirs(request: HttpRequest, customer: Customer, reason: str) -> HttpResponse:
    """`confirm`: what the desk calls the customer, typed by whoever means exactly this one."""
    words, called = desk_words.table(), customer.label or customer.id.hex[:6]
    if request.POST.get("confirm", "").strip() != called:
        return _no(400, words["erase_confirm_wrong"].format(called))
    erasure.erase(customer, agent_of(request), reason)
    messages.success(request, words["erased"].format(called))
    return HttpResponseRedirect(reverse("desk:inbox"), status=303)


def _copy(customer: Customer, form: str, actor: User | Customer, reason: str) -> HttpResponse:
    """Recorded first: who has got it is in the log, whatever becomes of the download."""
    if form not in TYPES:
        raise Http404
    audit.record(actor, "export", f"customer:{customer.id}", reason=reason, form=form)
    data = export.of(customer)
    text = export.html(data) if form == "html" else json.dumps(data, ensure_ascii=False, indent=1)
    response = HttpResponse(text, content_type=TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="{customer.site.key}-data.{form}"'
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _no(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
