"""The tier editor: ordered classes, limits that cannot be meant are refused, and each change is recorded."""

from decimal import Decimal
from html import unescape
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from accounts.limit_sentences import sentence
from accounts.models import AuditEntry, Customer, Limit, Tier, UsageEntry, User
from bot.models import Model, Price, Provider
from bot.tier_form import TierLimitForm
from tests import pages


@pytest.fixture
def admin(client: Client, dana: User) -> Client:
    client.force_login(dana)
    return client


@pytest.fixture
def pro(db: None) -> Tier:
    tier = Tier.objects.create(slug="pro", name="Pro", rank=5, classes=["large", "small"])
    Limit.objects.create(tier=tier, amount=Decimal(100), model_class="large", when_full="next")
    return tier


@pytest.fixture
def models(db: None) -> Provider:
    provider = Provider.objects.create(name="own", base_url="http://127.0.0.1:1/v1")
    for name, model_class in (("house-7b", "small"), ("gpt-4o", "large")):
        Model.objects.create(provider=provider, name=name, model_class=model_class)
    return provider


def page(tier: Tier) -> str:
    return reverse("admin:accounts_tier_change", args=[tier.pk])


def shown(admin: Client, tier: Tier) -> pages.Sent:
    form = pages.shown(admin.get(page(tier)))
    # The empty form at the end is a pattern for new ones.
    return {name: value for name, value in form.items() if "__prefix__" not in name}


SMALL = {
    "scope": "customer",
    "metric": "messages",
    "about": "class:small",
    "period": "day",
    "amount": "50",
    "when_full": "degrade",
}


def limit_form(tier: Tier, **values: str) -> TierLimitForm:
    return TierLimitForm(SMALL | values, instance=Limit(tier=tier))


def added(**values: str) -> dict[str, str]:
    new = {f"limits-1-{name}": value for name, value in (SMALL | values).items()}
    return new | {"limits-TOTAL_FORMS": "2"}


def test_classes_are_kept_in_the_order_shown(admin: Client, pro: Tier) -> None:
    form = shown(admin, pro)
    assert form["classes"] == ["large", "small"]
    assert admin.post(page(pro), form | {"classes": ["small", "reasoning", "large"]}).status_code == 302
    pro.refresh_from_db()
    assert pro.classes == ["small", "reasoning", "large"]
    none = admin.post(page(pro), form | {"classes": []})
    assert "Choose one class at least" in none.content.decode()


def test_page_says_each_limit_and_how_far_it_is_used(admin: Client, pro: Tier) -> None:
    Limit.objects.create(tier=pro, scope="tier", metric="money", period="month", amount=20, warn_at=[70])
    text = admin.get(page(pro)).content.decode()
    for limit in pro.limits.all():
        assert sentence(limit, "UTC") in text
    assert "none of the customers" in text
    assert "<b>$0</b> of $20 used (0%)" in text


@pytest.mark.parametrize(
    ("values", "meant"),
    [
        ({}, {"model_class": "small", "amount": 50}),
        ({"period": "first_use", "hours": "3"}, {"period": "first_use", "hours": 3}),
        (
            {"about": "class:large", "period": "week", "week_starts": "6", "when_full": "next"},
            {"week_starts": 6},
        ),
        (
            {"scope": "tier", "metric": "money", "amount": "0.25", "warn_at": "80, 70 100%"},
            {"scope": "tier", "amount": Decimal("0.25"), "warn_at": [70, 80, 100]},
        ),
        (
            {"when_full": "text", "text_en": "Soon.", "text_zh": "稍后。"},
            {"words": {"en": "Soon.", "zh": "稍后。"}},
        ),
        ({"about": "model:gpt-4o", "when_full": "next"}, {"model": "gpt-4o", "model_class": ""}),
    ],
    ids=repr,
)
@pytest.mark.usefixtures("models")
def test_limit_is_meant_as_it_is_typed(pro: Tier, values: dict[str, str], meant: dict[str, object]) -> None:
    form = limit_form(pro, **values)
    assert form.errors == {}
    new = form.save()
    assert {name: getattr(new, name) for name in meant} == meant


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"period": "first_use"}, "how many hours"),
        ({"hours": "3"}, "Hours go with"),
        ({"when_full": "next"}, "cheaper than small"),
        ({"about": "", "when_full": "next"}, "full for cheaper ones, too"),
        ({"when_full": "text"}, "Write the text"),
        ({"amount": "1.5"}, "A whole number"),
        ({"amount": "-1"}, "At least 0."),
        ({"warn_at": "70, many"}, "Write percents"),
        ({"warn_at": "170"}, "from 1 to 100"),
        ({"warn_at": "50"}, "limits that many share"),
        ({"about": "model:house-7b", "when_full": "next"}, "cheaper than small"),
        ({"metric": "actions"}, "whichever model"),
        ({"about": "model:nobody-has-it"}, "Select a valid choice"),
    ],
    ids=repr,
)
@pytest.mark.usefixtures("models")
def test_limit_that_cannot_be_meant_is_refused(pro: Tier, values: dict[str, str], why: str) -> None:
    assert limit_form(pro).is_valid()
    assert why in unescape(str(limit_form(pro, **values).errors))


def test_limit_is_added_once_and_wrong_ones_are_refused(admin: Client, pro: Tier) -> None:
    form = shown(admin, pro)
    assert "how many hours" in admin.post(page(pro), form | added(period="first_use")).content.decode()
    assert "counts the same" in admin.post(page(pro), form | added(about="class:large")).content.decode()
    assert pro.limits.count() == 1
    assert admin.post(page(pro), form | added()).status_code == 302
    assert pro.limits.get(model_class="small").amount == 50


def test_next_class_needs_one_in_the_tier_as_it_is_sent(admin: Client, pro: Tier) -> None:
    answer = admin.post(page(pro), shown(admin, pro) | {"classes": ["large"]})
    assert "cheaper than large" in answer.content.decode()
    pro.refresh_from_db()
    assert pro.classes == ["large", "small"]


def test_money_limit_warns_of_models_without_a_price(admin: Client, pro: Tier, models: Provider) -> None:
    form = shown(admin, pro) | added(metric="money", about="")
    text = admin.post(page(pro), form, follow=True).content.decode()
    assert "No price is known of house-7b" in text
    assert pro.limits.count() == 2
    Price.objects.create(provider=models, model="house-7b", input=1, output=2)
    assert "No price is known" not in admin.get(page(pro)).content.decode()


def test_limit_of_a_class_that_the_tier_does_not_use_warns(pro: Tier) -> None:
    for about, warning in (("class:small", ""), ("class:reasoning", "counts nothing")):
        form = limit_form(pro, about=about)
        assert form.is_valid()
        assert warning in form.warning()
        assert bool(form.warning()) == bool(warning)


@pytest.mark.parametrize(
    ("values", "warning"),
    [
        ({"metric": "total_tokens"}, "A question to gpt-4o usually holds about 2,800 tokens"),
        ({"metric": "total_tokens", "about": "class:small"}, "house-7b usually holds about 2,600"),
        ({"metric": "total_tokens", "about": "model:house-7b"}, "house-7b usually holds about 2,600"),
        ({"metric": "output_tokens"}, "gpt-4o usually holds about 800 tokens"),
        ({"metric": "money", "amount": "0.01", "about": "class:large"}, "gpt-4o usually holds about $0.013 "),
        ({"metric": "total_tokens", "amount": "0"}, "nobody is answered by a model beyond"),
        ({"amount": "0", "scope": "tier", "about": "class:large"}, "nobody is answered by large models."),
        ({"amount": "0", "metric": "actions"}, "tools do nothing, except to ask for a person"),
        ({"metric": "total_tokens", "amount": "2800"}, ""),
        ({"metric": "input_tokens", "amount": "2000"}, ""),
        ({"metric": "money", "amount": "0.013", "about": "class:large"}, "No price is known of house-7b"),
        ({"metric": "messages", "amount": "1"}, ""),
        ({"metric": "actions", "amount": "1"}, ""),
    ],
)
@pytest.mark.usefixtures("models")
def test_limit_that_has_no_room_for_one_question_warns(
    pro: Tier, values: dict[str, str], warning: str
) -> None:
    Model.objects.filter(name="house-7b").update(answer_tokens=600)
    form = limit_form(pro, **{"about": "", "amount": "500"} | values)
    assert form.is_valid(), form.errors
    assert warning in form.warning()
    assert ("usually holds" in form.warning()) == ("usually holds" in warning)


def test_tier_s_longest_answer_is_what_is_held(pro: Tier, models: Provider) -> None:
    pro.answer_tokens = 100
    form = limit_form(pro, about="", metric="output_tokens", amount="99")
    assert form.is_valid()
    assert "holds about 100 tokens" in form.warning()


def test_changes_of_limits_are_recorded_before_and_after(admin: Client, pro: Tier) -> None:
    old = sentence(pro.limits.get(), "UTC")
    form = shown(admin, pro) | {"limits-0-amount": "200"}
    # Browsers do not send a field that is put away.
    del form["limits-0-week_starts"]
    admin.post(page(pro), form)
    changed = AuditEntry.objects.get(action="tier_changed").detail
    assert changed["before"]["limits"] == [old]
    assert changed["after"]["limits"] == [old.replace("100", "200")]
    assert changed["what"] == ["At most"]
    admin.post(page(pro), shown(admin, pro) | {"limits-0-DELETE": "on"})
    deleted = AuditEntry.objects.order_by("number").last()
    assert deleted is not None
    assert (deleted.detail["before"]["limits"], deleted.detail["after"]["limits"]) == (
        [old.replace("100", "200")], [],
    )  # fmt: skip


def test_preset_is_added_once_with_a_click_and_recorded(admin: Client, pro: Tier) -> None:
    click = reverse("admin:accounts_tier_preset", args=[pro.pk, "large-three-hours"])
    assert admin.get(click).status_code == 405
    text = admin.post(click, follow=True).content.decode()
    assert "at most 150 messages answered by large models in 3 hours from the first one" in text
    assert "There is a limit on this already." in admin.post(click, follow=True).content.decode()
    assert pro.limits.filter(period="first_use", hours=3, amount=150, when_full="next").count() == 1
    entry = AuditEntry.objects.get(action="tier_changed")
    assert len(entry.detail["after"]["limits"]) == len(entry.detail["before"]["limits"]) + 1
    without = reverse("admin:accounts_tier_preset", args=[pro.pk, "reasoning-week"])
    assert "does not use reasoning models" in admin.post(without, follow=True).content.decode()


def test_draft_says_what_it_would_mean(admin: Client) -> None:
    draft = {"scope": "customer", "amount": "5", "about": "class:large", "classes": ["large", "small"]}
    answer = admin.get(reverse("admin:limit-sentence"), draft | {"when_full": "next"}).json()
    assert "at most 5 messages answered by large models a day" in answer["sentence"]
    assert "Then a small model answers." in answer["sentence"]
    wrong = admin.get(reverse("admin:limit-sentence"), draft | {"period": "first_use"}).json()
    assert (wrong["sentence"], "how many hours" in wrong["wrong"]) == ("", True)


def test_heaviest_customers_are_named_without_what_is_private(
    admin: Client, pro: Tier, alice: Customer
) -> None:
    fragment = reverse("admin:accounts_tier_heaviest", args=[pro.pk])
    assert "Nobody was answered" in admin.get(fragment).content.decode()
    assert admin.get(fragment.replace(f"/{pro.pk}/", "/x/")).status_code in (302, 404)
    gone = uuid4()
    for customer, cost in ((alice.id, "1.25"), (gone, None)):
        UsageEntry.objects.create(
            turn=uuid4(), customer=customer, tier="pro", cost=cost and Decimal(cost), confidence="exact"
        )
    text = admin.get(fragment).content.decode()
    assert f'<a href="{reverse("admin:accounts_customer_change", args=[alice.id])}">{alice}</a>' in text
    assert "<td>$1.25</td>" in text
    assert f"gone, {str(gone)[:8]}" in text


def test_pages_are_not_for_agents(client: Client, bob: User, pro: Tier) -> None:
    client.force_login(bob)
    click = reverse("admin:accounts_tier_preset", args=[pro.pk, "large-three-hours"])
    assert client.post(click).status_code == 302
    assert pro.limits.count() == 1
    for hidden in ("admin:limit-sentence", "admin:accounts_tier_changelist"):
        assert client.get(reverse(hidden)).status_code == 302
    assert client.get(reverse("admin:accounts_tier_heaviest", args=[pro.pk])).status_code == 302
