import pytest

from accounts import identity, sealing
from accounts.models import Customer, Site, Tier


@pytest.fixture
def site(site: Site, plus: Tier) -> Site:
    """The shop, allowing its tokens to name Plus but not VIP."""
    site.allowed_tiers.set([plus])
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
