"""How often a customer may write, an address may come, and staff may look up or reveal."""

from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

import structlog
from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, RedisError
from redis.retry import Retry

from accounts import keys
from accounts.models import Customer, User
from bot.errors import Rejected
from bot.web.doors import Address

MESSAGES = RateLimitItemPerMinute(20)
CONTACTS = RateLimitItemPerMinute(5)
# Each new visitor is a row of a table. An office that comes back after a restart is not new.
NEW_VISITORS = RateLimitItemPerMinute(60)
HELLOS = RateLimitItemPerMinute(1200)
REVEALS = (RateLimitItemPerMinute(20), RateLimitItemPerDay(500))
# Enough for somebody who serves customers; too little to try numbers until one is a customer's.
SEARCHES = (RateLimitItemPerMinute(30), RateLimitItemPerDay(1000))
_ONCE = RateLimitItemPerHour(1)
# A copy reads everything there is: for a person it is enough now and then.
COPIES = RateLimitItemPerHour(10)
# As REVEALS, for one of them shows more than any reveal does.
STAFF_COPIES = (RateLimitItemPerHour(60), RateLimitItemPerDay(200))
# Each lets somebody spend more.
EXTRAS = (RateLimitItemPerMinute(10), RateLimitItemPerDay(100))
# A look at one's own usage.
STATEMENTS = RateLimitItemPerMinute(30)
REDIS_SECONDS = 1

log = structlog.get_logger(__name__)


@cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(impatient_storage("fd:rates"))


def impatient_storage(prefix: str) -> RedisStorage:
    """Counts in Redis, for somebody at the door: what cannot be asked at once is not asked."""
    return RedisStorage(
        settings.REDIS_URL,
        key_prefix=prefix,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        # Once more where Redis has closed the connection meanwhile.
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),  # type: ignore[arg-type]
    )


def check_message(customer: Customer) -> None:
    """Raise Rejected when this customer writes too fast."""
    _check(MESSAGES, "message", str(customer.id))


def check_contact(customer: Customer) -> None:
    """Raise Rejected when this customer tells where to write to too often."""
    _check(CONTACTS, "contact", str(customer.id))


def check_hello(address: Address, *, new: bool) -> None:
    """Raise Rejected when too many sockets, or too many new visitors, come from one address."""
    if address.public:
        _check(HELLOS, "hello", address.digest)
    if address.public and new:
        _check(NEW_VISITORS, "visitor", address.digest)


def check_reveal(agent: User) -> None:
    """Raise Rejected when this agent reveals too much."""
    for limit in REVEALS:
        _check(limit, "reveal", str(agent.pk))


def check_copy(customer: Customer) -> None:
    """Raise Rejected when this customer asks for their data, or its end, again and again."""
    _check(COPIES, "copy", str(customer.id))


def check_staff_copy(agent: User) -> None:
    """Raise Rejected when this agent takes or erases the data of too many customers."""
    for limit in STAFF_COPIES:
        _check(limit, "copy", f"staff:{agent.pk}")


def check_extra(agent: User) -> None:
    """Raise Rejected when this agent gives extra allowance too often."""
    for limit in EXTRAS:
        _check(limit, "extra", str(agent.pk))


def check_statement(customer: Customer) -> None:
    """Raise Rejected when this customer looks at their usage without a pause."""
    _check(STATEMENTS, "statement", str(customer.id))


def may_search(agent: User, term: str) -> bool:
    """False when this agent tries too many terms; to look for the same one again counts nothing."""
    tried = ("term", f"{agent.pk}.{keys.digest('search', term)}")
    with suppress(RedisError):
        if not _limiter().test(_ONCE, *tried):
            return True
    try:
        for limit in SEARCHES:
            _check(limit, "search", str(agent.pk))
    except Rejected:
        return False
    # Only now: a term that was refused is new the next time too.
    with suppress(RedisError):
        _limiter().hit(_ONCE, *tried)
    return True


def _check(limit: RateLimitItem, what: str, who: str) -> None:
    """When Redis is away nobody is refused."""
    try:
        if _limiter().hit(limit, what, who):
            return
        reset = _limiter().get_window_stats(limit, what, who).reset_time
    except RedisError as error:
        log.warning("rates not counted", error=type(error).__name__)
        return
    raise Rejected("rate_limited", retry_at=datetime.fromtimestamp(reset, UTC))
