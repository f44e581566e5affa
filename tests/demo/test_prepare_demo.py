"""What `make run` puts into the database, and what it leaves alone at the next start."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django import Settings

from accounts.limit_sentences import sentence
from accounts.models import CLASSES, Limit, Site, Tier, User
from bot import unpriced
from bot.knowledge import ingest
from bot.management import starting_tiers
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
    limits = {sentence(limit, "UTC").partition(".")[0] for limit in Limit.objects.select_related("tier")}
    assert limits == {
        "Each customer: at most 10 messages answered by models a day, beginning at 00:00 UTC",
        "Each customer: at most 100 messages answered by large models a day, beginning at 00:00 UTC",
        "Each customer: at most 150 messages answered by large models in 3 hours from the first one",
        "All customers of all sites, together: at most $20 a month, beginning on the 1st at 00:00 UTC; "
        "the admins are told at 70%, 80% and 100%; at 100% answers come without a model",
    }
    assert unpriced.names(CLASSES) == []
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


@pytest.mark.parametrize(
    ("models", "classes", "limits"),
    [
        (["small"], {"free": ["small"], "plus": ["small"], "vip": ["small"]}, {"free": "", "plus": ""}),
        (["large"], {"free": ["large"], "plus": ["large"], "vip": ["large"]}, {"free": "", "plus": "large"}),
        (
            ["large", "small"],
            {"free": ["small"], "plus": ["large", "small"], "vip": ["large", "small"]},
            {"free": "", "plus": "large"},
        ),
    ],
)
def test_new_tiers_use_the_classes_there_are(
    settings: Settings, models: list[str], classes: dict[str, list[str]], limits: dict[str, str]
) -> None:
    settings.OPENAI_MODELS = dict.fromkeys(models, "gpt-4o")
    tiers = starting_tiers.create()
    assert {slug: tier.classes for slug, tier in tiers.items()} == classes
    made = {limit.tier.slug: limit for limit in Limit.objects.select_related("tier")}
    assert {slug: limit.model_class for slug, limit in made.items()} == limits
    assert {slug: int(limit.amount) for slug, limit in made.items()} == {"free": 10, "plus": 100}
    assert made["plus"].when_full == ("next" if len(models) == 2 else "degrade")


@pytest.mark.usefixtures("quick_embedding")
def test_demo_has_no_budget_that_would_silence_models_without_a_price(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "OFFLINE_MODEL", False)
    monkeypatch.setattr(settings, "OPENAI_MODELS", {"small": "house-7b"})
    prepare()
    assert not Limit.objects.filter(metric="money").exists()


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
