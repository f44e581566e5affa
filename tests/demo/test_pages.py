"""The shop as a visitor meets it: pages, languages, signing in and the token for the widget."""

import re
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.test import Client

from demo import content, wording
from demo.models import Product

pytestmark = pytest.mark.usefixtures("shop")
PAGES = ("/", "/products/", "/products/granite-mid-boots/", "/help/", "/privacy/", "/orders/", "/sign-in/")


def identity_on(client: Client, address: str = "/") -> str:
    found = re.search(r'data-identity="([^"]+)"', client.get(address).content.decode())
    return found[1] if found else ""


def sign_in(client: Client, sub: str) -> None:
    assert client.post("/sign-in/", {"sub": sub}).status_code == 302


@pytest.mark.parametrize("locale", wording.LOCALES)
@pytest.mark.parametrize("address", PAGES)
def test_page_opens_in_both_languages_and_carries_the_widget(
    client: Client, address: str, locale: str
) -> None:
    page = client.get(address, {"lang": locale})
    text = page.content.decode()
    assert page.status_code == 200
    assert f'<html lang="{wording.say(locale, "lang")}">' in text
    assert f'<script src="{settings.PUBLIC_URL}/widget.js" data-site="demo" async></script>' in text
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("address", PAGES)
def test_page_holds_nothing_that_a_strict_policy_would_block(client: Client, address: str) -> None:
    page = client.get(address)
    text = page.content.decode()
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*\ssrc=)", text)
    script_sources = re.search(r"script-src ([^;]+)", page["Content-Security-Policy"])
    assert script_sources is not None
    assert script_sources[1].split() == ["'self'", settings.PUBLIC_URL]


def test_every_article_opens_in_its_language(client: Client) -> None:
    for article in content.articles():
        page = client.get(article.path)
        assert page.status_code == 200
        assert article.title in page.content.decode()
    assert client.get("/help/nothing-here/").status_code == 404


def test_language_is_remembered_and_first_taken_from_the_browser(client: Client) -> None:
    assert "我的订单" in client.get("/", headers={"accept-language": "zh-CN,zh;q=0.9"}).content.decode()
    client.get("/?lang=en")
    assert "My orders" in client.get("/", headers={"accept-language": "zh-CN"}).content.decode()
    assert client.get("/?lang=xx").status_code == 200


@pytest.mark.parametrize(("sub", "tier"), [("alice", None), ("carol", "plus"), ("victor", "vip")])
def test_signed_in_page_carries_a_token_that_verifies(client: Client, sub: str, tier: str | None) -> None:
    sign_in(client, sub)
    token = identity_on(client)
    claims = jwt.decode(token, settings.DEMO_IDENTITY_SECRET, algorithms=["HS256"], audience="frontdesk")
    assert claims["sub"] == sub
    assert claims["email"].startswith(sub)
    assert claims.get("tier") == tier
    assert 300 < claims["exp"] - time.time() < 600


def test_orders_are_the_shoppers_own(client: Client) -> None:
    assert "HP-10423" not in client.get("/orders/").content.decode()
    sign_in(client, "alice")
    text = client.get("/orders/").content.decode()
    assert "HP-10423" in text
    assert "HP-10419" not in text


def test_signing_out_ends_the_identity(client: Client) -> None:
    sign_in(client, "carol")
    assert identity_on(client)
    assert "data-sign-out" in client.get("/").content.decode()
    client.post("/sign-out/")
    assert identity_on(client) == ""


def test_signing_in_needs_a_known_shopper_and_a_token_against_forgery() -> None:
    careful = Client(enforce_csrf_checks=True)
    assert careful.post("/sign-in/", {"sub": "alice"}).status_code == 403
    assert careful.post("/sign-out/").status_code == 403
    assert careful.get("/sign-out/").status_code == 405
    assert Client().post("/sign-in/", {"sub": "mallory"}).status_code == 404


def test_stand_in_is_named_only_when_it_answers(client: Client, settings: Any) -> None:
    settings.OFFLINE_MODEL = True
    assert "stand-in model" in client.get("/?lang=en").content.decode()
    settings.OFFLINE_MODEL = False
    assert "stand-in model" not in client.get("/").content.decode()


def test_every_product_has_its_picture_and_page(client: Client) -> None:
    static = Path(settings.BASE_DIR) / "demo" / "static"
    for product in Product.objects.all():
        assert (static / product.image).is_file()
        assert client.get(f"/products/{product.slug}/").status_code == 200
    assert Product.objects.count() >= 12


def test_words_exist_in_both_languages_and_prepared_answers_are_whole() -> None:
    assert wording.words("en").keys() == wording.words("zh").keys()
    for answer in content.prepared_answers():
        assert 5 <= len(answer.questions) <= 8
        assert answer.tool in (None, "my_orders")
    assert {answer.locale for answer in content.prepared_answers()} == set(wording.LOCALES)
