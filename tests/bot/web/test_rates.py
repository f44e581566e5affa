"""Who is too fast is refused, and nobody else; also while Redis is away."""

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.strategies import FixedWindowRateLimiter
from pytest_django import Settings

from accounts.models import Customer, Site
from bot.errors import Rejected
from bot.web import counts, rates
from bot.web.counts import Bucket, Counts
from bot.web.doors import Address
from tests.bot.conftest import Connect

NOWHERE = "redis://127.0.0.1:9/0"
OFFICE, HOME, INSIDE = Address("office", True), Address("home", True), Address("inside", False)


@pytest.fixture(params=["redis is there", "redis is away"])
def redis_or_not(request: pytest.FixtureRequest, settings: Settings) -> Iterator[None]:
    """Counts of the test's own, kept in Redis or, while that is away, in this process."""
    if request.param == "redis is away":
        settings.REDIS_URL = NOWHERE
    rates._limiter.cache_clear()
    rates._limiter().forget()
    yield
    rates._limiter().forget()
    rates._limiter.cache_clear()


def few(monkeypatch: pytest.MonkeyPatch, name: str, amount: int = 2) -> None:
    monkeypatch.setattr(rates, name, RateLimitItemPerMinute(amount))


def refused(check: Callable[..., None], *args: object, **kwargs: object) -> bool:
    try:
        check(*args, **kwargs)
    except Rejected as error:
        return error.code == "rate_limited" and error.retry_at is not None
    return False


@pytest.mark.usefixtures("redis_or_not")
class TestMessages:
    def test_customer_who_writes_too_fast_is_refused_alone(
        self, alice: Customer, carol: Customer, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        few(monkeypatch, "MESSAGES")
        said = [refused(rates.check_message, alice, site, OFFICE) for _ in range(3)]
        assert said == [False, False, True]
        with pytest.raises(Rejected) as caught:
            rates.check_message(alice, site, OFFICE)
        assert caught.value.retry_at is not None
        assert -1 <= caught.value.retry_at.timestamp() - time.time() <= 61
        assert not refused(rates.check_message, carol, site, OFFICE)

    def test_address_that_writes_too_fast_is_refused_alone(
        self, alice: Customer, carol: Customer, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        few(monkeypatch, "ADDRESS_MESSAGES")
        said = [refused(rates.check_message, one, site, OFFICE) for one in (alice, carol, alice)]
        assert said == [False, False, True]
        assert not refused(rates.check_message, alice, site, HOME)
        # Behind a proxy that nobody has declared, everybody has one address: it is not counted.
        assert not any(refused(rates.check_message, alice, site, INSIDE) for _ in range(4))

    def test_site_that_is_flooded_is_refused_alone(
        self, alice: Customer, carol: Customer, site: Site, settings: Settings
    ) -> None:
        settings.SITE_MESSAGES_PER_MINUTE = 2
        said = [refused(rates.check_message, one, site, None) for one in (alice, carol, alice)]
        assert said == [False, False, True]
        assert not refused(rates.check_message, alice, Site(key="other"), None)


@pytest.mark.usefixtures("redis_or_not")
def test_conversations_begun_too_fast_are_refused(
    alice: Customer, carol: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, "NEW_CONVERSATIONS")
    assert [refused(rates.check_new, alice) for _ in range(3)] == [False, False, True]
    assert not refused(rates.check_new, carol)


@pytest.mark.usefixtures("redis_or_not")
def test_hellos_and_new_visitors_of_an_address_are_refused_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    few(monkeypatch, "NEW_VISITORS", 1)
    few(monkeypatch, "HELLOS", 3)
    assert not refused(rates.check_hello, OFFICE, new=True)
    assert refused(rates.check_hello, OFFICE, new=True)
    assert not refused(rates.check_hello, OFFICE, new=False)
    assert refused(rates.check_hello, OFFICE, new=False)
    assert not refused(rates.check_hello, HOME, new=True)


class TestAway:
    LIMIT: RateLimitItem = RateLimitItemPerMinute(1)

    def test_redis_that_is_back_counts_again(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        there, who = Counts(FixedWindowRateLimiter, "fd:test"), str(uuid4())
        assert there.hit(self.LIMIT, who)
        lives = there._everywhere
        settings.REDIS_URL = NOWHERE
        there._everywhere = Counts(FixedWindowRateLimiter, "fd:test")._everywhere
        # From nothing, here alone.
        assert there.hit(self.LIMIT, who)
        assert not there.hit(self.LIMIT, who)
        there._everywhere = lives
        now = time.monotonic()
        monkeypatch.setattr(counts.time, "monotonic", lambda: now + counts.AWAY_SECONDS)
        there.clear(self.LIMIT, who)
        assert there.hit(self.LIMIT, who)

    def test_redis_that_is_away_is_not_waited_for_each_time(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.REDIS_URL = NOWHERE
        away, asked = Counts(FixedWindowRateLimiter, "fd:test"), []
        hit = away._everywhere.hit
        monkeypatch.setattr(away._everywhere, "hit", lambda *args: asked.append(args) or hit(*args))
        for _ in range(3):
            away.hit(self.LIMIT, "alice")
        assert len(asked) == 1


def test_bucket_gives_what_it_holds_and_fills_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(counts.time, "monotonic", lambda: now)
    bucket = Bucket(RateLimitItemPerSecond(10, 5))
    assert [bucket.take() for _ in range(11)] == [True] * 10 + [False]
    now = 0.5
    assert [bucket.take(), bucket.take()] == [True, False]
    now = 500
    assert bucket.take(10)
    assert not bucket.take()


@pytest.mark.django_db(transaction=True)
async def test_socket_that_reads_back_too_often_is_refused_and_stays_open(
    tab: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    few(monkeypatch, "LOOKS_BACK")
    async with tab("alice") as alice:
        for number in range(3):
            await alice.send("resume", turn=str(uuid4()), after=0, ref=f"r{number}")
        told = [await alice.until("error") for _ in range(3)]
        assert [one["code"] for one in told] == ["unknown", "unknown", "rate_limited"]
        assert told[2]["text"]
        await alice.send("ping")
        await alice.until("pong")


@pytest.mark.django_db(transaction=True)
async def test_conversations_begun_too_fast_leave_the_present_one_open(
    tab: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates._limiter().forget()
    few(monkeypatch, "NEW_CONVERSATIONS", 1)
    async with tab("alice") as alice:
        await alice.send("new")
        await alice.until("ready")
        await alice.send("new")
        assert (await alice.until("error"))["code"] == "rate_limited"
        await alice.say("Is anybody there?")
        await alice.until("accepted")
