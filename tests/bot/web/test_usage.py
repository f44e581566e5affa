"""The customer's door to what they have used: with their token alone, in their language, and never money."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from limits import RateLimitItemPerMinute

from accounts import grants, identity, quota
from accounts.grants import Gift
from accounts.models import Customer, Deployment, Limit, Site, Tier, User
from bot.web import rates

pytestmark = pytest.mark.django_db
ADDRESS = "/widget/demo/usage"


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    """What other tests have used up does not count."""
    rates._limiter().forget()


def ask(client: Client, customer: Customer, locale: str = "en") -> Any:
    headers = {"Authorization": f"Bearer {identity.issue(customer)}"}
    return client.get(f"{ADDRESS}?locale={locale}", headers=headers)


def use(customer: Customer, times: int = 1) -> None:
    for _ in range(times):
        one = uuid4()
        quota.hold(one, customer, seconds=60)
        quota.settle(one)


def give(customer: Customer, by: User, amount: int, **kind: str) -> None:
    ends = timezone.now() + timedelta(days=3)
    what = {"kind": "extra", "metric": "messages", "model_class": "", **kind}
    grants.give(customer, Gift(**what, amount=Decimal(amount), expires_at=ends), "The parcel came late", by)


def test_customer_reads_limits_and_grants_in_their_language(
    client: Client, alice: Customer, bob: User
) -> None:
    use(alice, 3)
    give(alice, bob, 5)
    answer = ask(client, alice)
    said = answer.json()
    assert "no-store" in answer["Cache-Control"]
    assert set(said) == {"limits", "extras", "exhausted", "back_at", "free", "stopped"}
    [limit], [extra] = said["limits"], said["extras"]
    assert (limit["label"], limit["used"], limit["amount"]) == ("messages today", 3, 10)
    assert limit["ends_at"].endswith("T00:00:00+00:00")
    assert (extra["label"], extra["used"], extra["amount"]) == ("extra messages", 0, 5)
    assert (said["exhausted"], said["back_at"]) == (False, None)
    assert ask(client, alice, "zh-CN").json()["limits"][0]["label"] == "今日消息"


def test_money_is_never_told(client: Client, alice: Customer, dana: User, free: Tier, site: Site) -> None:
    for facts in ({"tier": free}, {"scope": "site", "site": site}, {"scope": "deployment"}):
        Limit.objects.create(metric="money", period="month", amount=Decimal("7777.5"), **facts)
    give(alice, dana, 8888, kind="credit", metric="money")
    text = json.dumps(ask(client, alice).json())
    assert not [word for word in ("7777", "8888", "money", "credit", "$") if word in text]
    assert len(ask(client, alice).json()["limits"]) == 1


def test_exhausted_customer_is_told_when_a_class_is_back(client: Client, carol: Customer, plus: Tier) -> None:
    plus.classes = ["large", "small"]
    plus.save()
    Limit.objects.all().delete()
    for model_class, period in (("large", "month"), ("small", "day"), ("small", "hour")):
        Limit.objects.create(tier=plus, model_class=model_class, period=period, amount=1)
    for model_class in ("large", "small"):
        quota.hold(uuid4(), carol, seconds=60, model_class=model_class)
    said = ask(client, carol).json()
    assert said["exhausted"]
    assert said["back_at"] == max(one["ends_at"] for one in said["limits"] if "quick" in one["label"])


def test_no_moment_is_promised_where_nobody_knows_one(client: Client, alice: Customer) -> None:
    Limit.objects.update(amount=0)
    said = ask(client, alice).json()
    assert (said["exhausted"], said["back_at"], said["stopped"]) == (True, None, False)
    Limit.objects.all().delete()
    Deployment.objects.create(id=1, stopped_at=timezone.now())
    said = ask(client, alice).json()
    assert (said["limits"], said["exhausted"], said["back_at"]) == ([], True, None)
    assert said["stopped"]


def test_limit_of_a_class_that_is_used_up_does_not_count(client: Client, carol: Customer, plus: Tier) -> None:
    plus.classes = ["large", "small"]
    plus.save()
    Limit.objects.all().delete()
    for model_class, period, amount in (("large", "day", 1), ("large", "month", 150), ("small", "day", 9)):
        Limit.objects.create(tier=plus, model_class=model_class, period=period, amount=amount)
    before = ask(client, carol).json()
    assert all(one["counts"] for one in before["limits"])
    quota.hold(uuid4(), carol, seconds=60, model_class="large")
    said = ask(client, carol).json()
    assert not said["exhausted"]
    assert [one["label"] for one in said["limits"] if one["counts"]] == ["quick answers today"]


def test_customer_whom_nothing_limits_is_free_whatever_they_were_given(
    client: Client, alice: Customer, bob: User
) -> None:
    give(alice, bob, 2)
    assert not ask(client, alice).json()["free"]
    Limit.objects.all().delete()
    said = ask(client, alice).json()
    assert (said["free"], said["exhausted"], len(said["extras"])) == (True, False, 1)
    # What is never told them, money, limits them all the same.
    Limit.objects.create(tier=alice.effective_tier, metric="money", period="month", amount=Decimal(5))
    said = ask(client, alice).json()
    assert (said["free"], said["limits"]) == (False, [])


def test_visitor_who_is_not_signed_in_sees_their_limits(client: Client, site: Site) -> None:
    visitor = identity.anonymous(site, "en", "a" * 32)
    assert ask(client, visitor).json()["limits"][0]["amount"] == 10


def test_network_that_is_used_up_says_when_it_is_back(client: Client, site: Site, settings: Any) -> None:
    settings.ANONYMOUS_PER_ADDRESS = 1
    visitor = identity.anonymous(site, "en", "a" * 32)
    use(visitor)
    said = ask(client, visitor).json()
    assert [one["label"] for one in said["limits"]] == ["messages today"]
    assert said["exhausted"]
    assert said["back_at"].endswith("T00:00:00+00:00")


def test_nobody_reads_without_a_token_or_too_often(
    client: Client, alice: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get(ADDRESS).status_code == 401
    assert client.get(ADDRESS, headers={"Authorization": "Bearer x"}).status_code == 401
    assert client.post(ADDRESS).status_code in (403, 405)
    assert client.get("/widget/other/usage", headers={"Authorization": "Bearer x"}).status_code == 404
    monkeypatch.setattr(rates, "STATEMENTS", RateLimitItemPerMinute(2))
    assert [ask(client, alice).status_code for _ in range(3)] == [200, 200, 429]
