"""Who looks at the shop, in which language, and the token that tells the widget who they are."""

from datetime import UTC, datetime, timedelta

import jwt
from django.conf import settings
from django.http import HttpRequest

from demo.models import Shopper
from demo.wording import LOCALES

TOKEN_LIFE = timedelta(minutes=9)  # Frontdesk takes at most ten; clocks differ
SHOPPER = "shop_shopper"
LOCALE = "shop_locale"


def locale_of(request: HttpRequest) -> str:
    """The language asked for in the address, else the one chosen before, else the browser's."""
    asked = request.GET.get("lang")
    if asked in LOCALES and request.session.get(LOCALE) != asked:
        request.session[LOCALE] = asked
    chosen = request.session.get(LOCALE)
    if chosen in LOCALES:
        return str(chosen)
    return "zh" if getattr(request, "LANGUAGE_CODE", "en").startswith("zh") else "en"


def shopper_of(request: HttpRequest) -> Shopper | None:
    sub = request.session.get(SHOPPER)
    return Shopper.objects.filter(sub=sub).first() if sub else None


def remember(request: HttpRequest, shopper: Shopper) -> None:
    """Sign in; the session gets a new key, and staff signed in by the same browser stay so."""
    request.session.cycle_key()
    request.session[SHOPPER] = shopper.sub


def forget(request: HttpRequest) -> None:
    request.session.pop(SHOPPER, None)
    request.session.cycle_key()


def identity_token(shopper: Shopper) -> str:
    """What the shop's server signs, so that the widget knows its customer."""
    claims = {
        "aud": "frontdesk",
        "sub": shopper.sub,
        "email": shopper.email,
        "name": shopper.name,
        "exp": datetime.now(UTC) + TOKEN_LIFE,
    }
    if shopper.tier:
        claims["tier"] = shopper.tier
    return jwt.encode(claims, settings.DEMO_IDENTITY_SECRET, algorithm="HS256")
