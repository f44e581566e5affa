"""The cast: alice and carol are customers who must not see each other, victor is a VIP, bob answers in the
desk, dana administers."""

import time
from collections.abc import Iterator
from decimal import Decimal

import jwt
import pytest
from django.core.management.commands import flush
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from pytest_django import DjangoDbBlocker, Settings

from accounts import identity
from accounts.models import Customer, Limit, Site, Tier, User

SECRET = "harbor-and-pine-identity-secret-for-tests"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Before the test database is dropped, part with the connections that other threads have kept."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


# What migrating has filled, and would have to fill again.
DJANGOS_OWN = {"django_content_type", "auth_permission"}


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """Empty the tables after a test by deleting: truncating them takes 20 times as long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "sql_flush", _delete_from)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args: None)
        yield


def _delete_from(
    operations: DatabaseOperations, style: object, tables: list[str], **options: bool
) -> list[str]:
    emptied = [operations.quote_name(table) for table in tables if table not in DJANGOS_OWN]
    # Without triggers: neither the order of the tables nor what may not be deleted matters here.
    return [
        "SET LOCAL session_replication_role = replica",
        *(f"DELETE FROM {table}" for table in emptied),  # noqa: S608  our own tables
    ]


@pytest.fixture(autouse=True)
def quick_pages(settings: Settings) -> None:
    """Do not list all static files for each client."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def free(db: None) -> Tier:
    tier = Tier.objects.create(slug="free", name="Free", rank=0)
    Limit.objects.create(tier=tier, amount=Decimal(10))
    return tier


@pytest.fixture
def plus(db: None) -> Tier:
    tier = Tier.objects.create(slug="plus", name="Plus", rank=1)
    Limit.objects.create(tier=tier, amount=Decimal(100))
    return tier


@pytest.fixture
def vip(db: None) -> Tier:
    return Tier.objects.create(slug="vip", name="VIP", rank=2)


@pytest.fixture
def site(free: Tier, plus: Tier, vip: Tier) -> Site:
    site = Site(key="demo", name="Harbor & Pine", default_tier=free, origins=["http://shop.example.com"])
    site.rotate_secret(SECRET)
    site.greeting = {"en": "Hello!", "zh": "您好！"}
    site.suggestions = {"en": ["Where is my order?"], "zh": ["我的订单在哪里？"]}
    site.save()
    site.allowed_tiers.set([plus, vip])
    return site


@pytest.fixture
def alice(site: Site) -> Customer:
    return identity.known_as(site, "alice")


@pytest.fixture
def carol(site: Site, plus: Tier) -> Customer:
    carol = identity.known_as(site, "carol")
    carol.token_tier = plus
    carol.save()
    return carol


@pytest.fixture
def victor(site: Site, vip: Tier) -> Customer:
    victor = identity.known_as(site, "victor")
    victor.token_tier = vip
    victor.save()
    return victor


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob@example.com", "a-long-password", name="Bob")


@pytest.fixture
def dana(db: None) -> User:
    return User.objects.create_user("dana@example.com", "a-long-password", name="Dana", role="admin")


def sign(sub: str, *, secret: str = SECRET, seconds: float = 300, **claims: object) -> str:
    """An identity token as the shop's server signs it."""
    return jwt.encode(
        {"sub": sub, "aud": "frontdesk", "exp": time.time() + seconds, **claims}, secret, algorithm="HS256"
    )
