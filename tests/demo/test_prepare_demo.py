"""What `make run` puts into the database, and what it leaves alone at the next start."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import Limit, Site, Tier, User
from bot.knowledge import ingest
from bot.models import Article, CannedReply, Model, Passage, Provider
from bot.models.knowledge import DIMENSIONS
from bot.steps import canned

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"])
    monkeypatch.setattr(settings, "OFFLINE_MODEL", True)
    monkeypatch.setattr(settings, "OPENAI_API_KEY", "offline")
    monkeypatch.setattr(settings, "OPENAI_BASE_URL", "http://127.0.0.1:8002/v1")


@pytest.fixture
def quick_embedding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "embed", lambda texts: [[1.0] * DIMENSIONS for _ in texts])


def prepare() -> str:
    out = StringIO()
    call_command("prepare_demo", stdout=out)
    return out.getvalue()


def test_prepare_demo_fills_an_empty_database_and_does_nothing_twice() -> None:
    assert "42 texts newly indexed" in prepare()
    site = Site.objects.get(key="demo")
    assert site.secrets == [settings.DEMO_IDENTITY_SECRET]
    assert {"http://127.0.0.1:8000", "http://127.0.0.1:8001", "http://localhost:8001"} <= set(site.origins)
    assert site.default_tier.slug == "free"
    assert set(site.allowed_tiers.values_list("slug", flat=True)) == {"plus", "vip"}
    limits = {limit.tier.slug: int(limit.amount) for limit in Limit.objects.select_related("tier")}
    assert limits == {"free": 10, "plus": 100}
    dana = User.objects.get(email="admin@example.com")
    assert (dana.name, dana.is_staff, dana.check_password(settings.DEMO_PASSWORD)) == ("Dana", True, True)
    assert Provider.objects.get().name == "offline stand-in"
    counts = [model.objects.count() for model in (Article, CannedReply, Passage, Model, Tier, User)]
    assert "0 texts newly indexed" in prepare()
    assert [m.objects.count() for m in (Article, CannedReply, Passage, Model, Tier, User)] == counts
    match = canned.best(site.pk, site.suggestions["en"][0], "en")
    assert match is not None
    assert canned.sure(match)


@pytest.mark.usefixtures("quick_embedding")
def test_prepare_demo_keeps_what_an_admin_edited(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare()
    Tier.objects.filter(slug="free").update(name="Basic")
    Limit.objects.filter(tier__slug="free").delete()
    Article.objects.filter(slug="returns", locale="en").update(body="Within 90 days.")
    CannedReply.objects.filter(title="Greeting").update(enabled=False)
    Site.objects.filter(key="demo").update(colour="#123456", origins=["https://mine.example.com"])
    monkeypatch.setattr(settings, "PUBLIC_URL", "http://127.0.0.1:9000")
    assert "1 texts newly indexed" in prepare()
    site = Site.objects.get(key="demo")
    assert site.colour == "#123456"
    assert {"https://mine.example.com", "http://127.0.0.1:9001"} <= set(site.origins)
    assert Tier.objects.get(slug="free").name == "Basic"
    assert not Limit.objects.filter(tier__slug="free").exists()
    returns = Article.objects.get(slug="returns", locale="en")
    assert (returns.body, returns.url) == ("Within 90 days.", "http://127.0.0.1:9000/help/returns/?lang=en")
    assert not CannedReply.objects.get(title="Greeting").enabled


@pytest.mark.usefixtures("quick_embedding")
def test_another_start_brings_its_own_password_secret_and_model(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare()
    monkeypatch.setattr(settings, "DEMO_PASSWORD", "another-password")
    monkeypatch.setattr(settings, "DEMO_IDENTITY_SECRET", "s" * 40)
    monkeypatch.setattr(settings, "OFFLINE_MODEL", False)
    monkeypatch.setattr(settings, "OPENAI_API_KEY", "sk-real")
    prepare()
    assert all(user.check_password("another-password") for user in User.objects.all())
    assert Site.objects.get(key="demo").secrets == ["s" * 40]
    assert {p.name: (p.enabled, p.key) for p in Provider.objects.all()} == {
        "default": (True, "sk-real"),
        "offline stand-in": (False, "offline"),
    }


def test_setup_site_prints_the_tag_and_the_secret_once_and_refuses_bad_values() -> None:
    out = StringIO()
    given = {"key": "shop", "name": "My Shop", "origin": ["https://shop.example.com/"]}
    call_command("setup_site", stdout=out, **given)
    site = Site.objects.get(key="shop")
    assert 'data-site="shop"' in out.getvalue()
    assert site.secrets[0] in out.getvalue()
    assert site.origins == ["https://shop.example.com"]
    with pytest.raises(CommandError, match="exists"):
        call_command("setup_site", stdout=out, **given)
    with pytest.raises(CommandError, match="origin"):
        call_command("setup_site", stdout=out, **(given | {"key": "other", "origin": ["shop.example.com"]}))
    assert set(Site.objects.values_list("key", flat=True)) == {"shop"}
