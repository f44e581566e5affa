"""The customer's door to what they have used: with their session token, signed in to the site or not."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import identity, statement
from bot.errors import Rejected
from bot.web import rates
from bot.web.rights import bearer, refused_token
from bot.web.session import locale_of


@require_GET
@never_cache
def mine(request: HttpRequest, site: str) -> HttpResponse:
    """Each limit and grant in the language of `locale`; never money."""
    try:
        customer = bearer(request, site)
        rates.check_statement(customer)
    except identity.BadToken:
        return refused_token()
    except Rejected as error:
        return JsonResponse({"code": "rate_limited", "retry_at": error.retry_at}, status=429)
    return JsonResponse(statement.of(customer, locale_of(request.GET.get("locale"))).as_json())
