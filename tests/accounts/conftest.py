from decimal import Decimal

import pytest

from accounts import identity, sealing
from accounts.models import Customer, Limit, Site, Tier

SECRET = "harbor-and-pine-signs-with-this-secret"


def make_tier(slug: str, per_day: int | None, rank: int = 0) -> Tier:
    tier = Tier.objects.create(slug=slug, name=slug.title(), rank=rank)
    if per_day is not None:
        Limit.objects.create(tier=tier, amount=Decimal(per_day))
    return tier


@pytest.fixture
def free(db) -> Tier:
    return make_tier("free", 10)


@pytest.fixture
def plus(db) -> Tier:
    return make_tier("plus", 100, rank=1)


@pytest.fixture
def vip(db) -> Tier:
    return make_tier("vip", None, rank=2)


@pytest.fixture
def site(free: Tier, plus: Tier) -> Site:
    site = Site.objects.create(
        key="shop", name="Harbor & Pine", default_tier=free, sealed_secret=sealing.seal(SECRET)
    )
    site.allowed_tiers.add(plus)
    return site


@pytest.fixture
def other_site(free: Tier) -> Site:
    return Site.objects.create(
        key="other", name="Other", default_tier=free, sealed_secret=sealing.seal("o" * 40)
    )


@pytest.fixture
def alice(site: Site) -> Customer:
    return identity.verified(site, identity.Identity("alice", "alice@example.com", "Alice Moss", None))


@pytest.fixture
def visitor(site: Site) -> Customer:
    return identity.anonymous(site, "en", "a" * 32)
