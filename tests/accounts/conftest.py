import pytest

from accounts import identity, sealing
from accounts.models import Customer, Site, Tier


@pytest.fixture(autouse=True)
def quick_pages(settings) -> None:
    """Do not list all static files for each client, nor hash passwords as slowly as production must."""
    settings.WHITENOISE_AUTOREFRESH = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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
