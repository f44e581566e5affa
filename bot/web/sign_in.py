"""Staff sign in with e-mail and password; guessing is slowed down."""

from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest
from limits import RateLimitItemPerMinute
from limits.strategies import FixedWindowRateLimiter

from accounts import identity, sealing
from accounts.models import User
from bot.web.counts import Counts

PER_ACCOUNT = RateLimitItemPerMinute(10, 15, namespace="sign-in")
# One address trying many accounts; generous, since an office shares an address.
PER_ADDRESS = RateLimitItemPerMinute(100, 15, namespace="sign-in-address")


class WrongPassword(Exception):
    """No active member of staff has this e-mail and password."""


class TooManyFailures(Exception):
    """So many attempts failed that the next ones are not looked at."""


@dataclass(frozen=True)
class Attempt:
    """Whose failures count together."""

    account: str
    address: str


def sign_in(request: HttpRequest, email: str, password: str) -> User:
    """Open a staff session, or raise WrongPassword or TooManyFailures."""
    attempt = _attempt(request, email)
    # Counted before it is looked at, so that attempts at once cannot slip past; a success clears the count.
    limits = _limits()
    if not limits.hit(PER_ACCOUNT, attempt.account) or not limits.test(PER_ADDRESS, attempt.address):
        raise TooManyFailures
    user = auth.authenticate(request, username=email.strip().lower(), password=password)
    if user is None:
        limits.hit(PER_ADDRESS, attempt.address)
        raise WrongPassword
    limits.clear(PER_ACCOUNT, attempt.account)
    auth.login(request, user)
    return user


def _attempt(request: HttpRequest, email: str) -> Attempt:
    """Digests only: neither the e-mail nor the address is kept."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").encode()
    address = identity.network_address(
        [(b"x-forwarded-for", forwarded)], request.META.get("REMOTE_ADDR", ""), settings.TRUSTED_PROXIES
    )
    account = sealing.fingerprint("sign-in", f"{email.strip().lower()} {address}")
    return Attempt(account, address)


@cache
def _limits() -> Counts:
    return Counts(FixedWindowRateLimiter, "fd:limits")
