"""How often customers may write, addresses may come, sites be asked, sockets speak, and staff look things up.

Limits against abuse, apart from quotas: they refuse who is too fast, not who uses much. Counts are kept in
Redis for all web processes together. While Redis is away each process counts by itself, from nothing: nobody
is refused for what they did not do, and nobody goes unlimited, but of n processes together up to n times as
much gets through. When Redis is back, its counts hold again.
"""

from datetime import UTC, datetime
from functools import cache

from django.conf import settings
from limits import (
    RateLimitItem,
    RateLimitItemPerDay,
    RateLimitItemPerHour,
    RateLimitItemPerMinute,
    RateLimitItemPerSecond,
)
from limits.strategies import SlidingWindowCounterRateLimiter

from accounts import keys
from accounts.models import Customer, Site, User
from bot.errors import Rejected
from bot.web.counts import Counts
from bot.web.doors import Address

# Customers
MESSAGES = RateLimitItemPerMinute(20)
CONTACTS = RateLimitItemPerMinute(5)
# Each is a row of a table.
NEW_CONVERSATIONS = RateLimitItemPerMinute(10)
# A copy reads everything there is: for a person it is enough now and then.
COPIES = RateLimitItemPerHour(10)
# A look at one's own usage.
STATEMENTS = RateLimitItemPerMinute(30)

# Addresses of the internet; a whole office may stand behind one. Each new visitor is a row of a table, and an
# office that comes back after a restart is not new.
ADDRESS_MESSAGES = RateLimitItemPerMinute(300)
NEW_VISITORS = RateLimitItemPerMinute(60)
HELLOS = RateLimitItemPerMinute(1200)

# Sites: SITE_MESSAGES_PER_MINUTE of the environment, for a flood from many addresses at once.

# Sockets, counted in their process: frames of any kind, and those that read much.
FRAMES = RateLimitItemPerSecond(100, 10)
LOOKS_BACK = RateLimitItemPerMinute(60)
# Told again, so many events are work like one frame.
EVENTS_A_FRAME = 20

# Staff
REVEALS = (RateLimitItemPerMinute(20), RateLimitItemPerDay(500))
# Enough for somebody who serves customers; too little to try numbers until one is a customer's.
SEARCHES = (RateLimitItemPerMinute(30), RateLimitItemPerDay(1000))
_ONCE = RateLimitItemPerHour(1)
# As REVEALS, for one of them shows more than any reveal does.
STAFF_COPIES = (RateLimitItemPerHour(60), RateLimitItemPerDay(200))
# Each lets somebody spend more.
EXTRAS = (RateLimitItemPerMinute(10), RateLimitItemPerDay(100))


@cache
def _limiter() -> Counts:
    return Counts(SlidingWindowCounterRateLimiter, "fd:rates")


def check_message(customer: Customer, site: Site, address: Address | None) -> None:
    """Raise Rejected when this customer, their address or everybody on the site writes too fast."""
    _check(MESSAGES, "message", str(customer.id))
    if address and address.public:
        _check(ADDRESS_MESSAGES, "address-message", address.digest)
    _check(RateLimitItemPerMinute(settings.SITE_MESSAGES_PER_MINUTE), "site-message", site.key)


def check_new(customer: Customer) -> None:
    """Raise Rejected when this customer begins one conversation after the other."""
    _check(NEW_CONVERSATIONS, "new", str(customer.id))


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
    if not _limiter().test(_ONCE, *tried):
        return True
    try:
        for limit in SEARCHES:
            _check(limit, "search", str(agent.pk))
    except Rejected:
        return False
    # Only now: a term that was refused is new the next time too.
    _limiter().hit(_ONCE, *tried)
    return True


def _check(limit: RateLimitItem, what: str, who: str) -> None:
    if not _limiter().hit(limit, what, who):
        free_at = datetime.fromtimestamp(_limiter().free_at(limit, what, who), UTC)
        raise Rejected("rate_limited", retry_at=free_at)
