"""Try it: a draft beside the last days, kept as it was typed, and nothing saved."""

import uuid
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import past_turns
from accounts.models import AuditEntry, Customer, Limit, Tier, UsageEntry, User
from bot import what_if
from bot.models import Model, Provider
from tests import pages

CENT = Decimal("0.01")


@pytest.fixture
def admin(client: Client, dana: User) -> Client:
    client.force_login(dana)
    return client


@pytest.fixture
def small(db: None) -> Model:
    provider = Provider.objects.create(name="OpenAI", base_url="https://api.openai.com/v1")
    return Model.objects.create(provider=provider, name="gpt-4o-mini", model_class="small")


@pytest.fixture
def pro(db: None) -> Tier:
    tier = Tier.objects.create(slug="pro", name="Pro", rank=5, classes=["large", "small"])
    Limit.objects.create(tier=tier, amount=Decimal(100), model_class="large", when_full="next")
    return tier


@pytest.fixture
def asked(pro: Tier, alice: Customer, small: Model) -> None:
    """Alice asked five times an hour ago, and somebody who is gone once, a cent each."""
    at = timezone.now()
    for number, customer in enumerate([*[alice.id] * 5, uuid.UUID(int=7)]):
        entry = UsageEntry.objects.create(
            turn=uuid.uuid4(), customer=customer, site="demo", tier="pro", provider="OpenAI", model="gpt-4o",
            model_class="large", input_tokens=1000, output_tokens=100, cost=CENT, confidence="exact",
        )  # fmt: skip
        UsageEntry.objects.filter(pk=entry.pk).update(created_at=at + timedelta(microseconds=number))


def page(tier: Tier) -> str:
    return reverse("admin:accounts_tier_change", args=[tier.pk])


def typed(admin: Client, tier: Tier, **values: str) -> pages.Sent:
    """The editor's form with another amount for its one limit."""
    return pages.shown(admin.get(page(tier))) | {"limits-0-amount": "2"} | values


def text(answer: object) -> str:
    return unescape(answer.content.decode())  # type: ignore[attr-defined]


def draft(tier: Tier, amount: int, **values: object) -> list[Limit]:
    facts: dict[str, object] = {"tier": tier, "model_class": "large", "when_full": "next"}
    return [Limit(amount=Decimal(amount), **(facts | values))]


@pytest.mark.usefixtures("asked")
class TestComparison:
    def test_differences_are_the_draft_s_doing(self, pro: Tier, alice: Customer):
        found = what_if.compare(pro, draft(pro, 2), 7)
        assert (found.now.turns, found.now.total.stepped, found.draft.total.stepped) == (6, 0, 3)
        # 1,000 tokens read at $0.15 and 100 written at $0.60 a million.
        assert found.saved == 3 * (CENT - Decimal("0.00021"))
        assert found.saved_percent == Decimal("49.0")
        assert (found.affected, found.asking) == (1, 2)
        [row] = found.customers
        assert (row.name, row.customer, row.more[1]) == (str(alice), str(alice.pk), 3)
        assert [day for day, _, tally in found.by_day if tally.stepped] == [found.by_day[-1][0]]
        assert len(found.by_day) == 7

    def test_limits_are_told_by_their_sentences(self, pro: Tier):
        found = what_if.compare(pro, draft(pro, 0, model_class="", when_full="degrade"), 7)
        drafted, gone = found.limits
        assert drafted.name.startswith("Each customer: at most 0 messages answered by models a day")
        assert (drafted.draft.refused, drafted.now.refused) == (6, 0)
        assert gone.name.endswith("(not in the draft)")
        assert [row.name for row in found.customers] == ["alice", "gone, 00000000"]

    def test_a_limit_of_everybody_is_told_where_it_refuses_somebody(self, pro: Tier):
        Limit.objects.create(scope="deployment", amount=Decimal(1))
        found = what_if.compare(pro, draft(pro, 2), 7)
        assert [row.name.split(":")[0] for row in found.limits] == [
            "Each customer", "All customers of all sites, together",
        ]  # fmt: skip
        assert found.affected == 0

    def test_classes_that_are_taken_away_step_down(self, pro: Tier):
        pro.classes = ["small"]
        found = what_if.compare(pro, [], 7)
        assert found.limits[-1].name == what_if.CLASSES_SAID
        assert found.draft.total.stepped == 6


@pytest.mark.usefixtures("asked")
class TestPage:
    def test_a_replay_that_reads_no_further_says_so(
        self, admin: Client, pro: Tier, monkeypatch: pytest.MonkeyPatch
    ):
        assert "begins on" not in text(admin.post(page(pro), typed(admin, pro, _try="7")))
        monkeypatch.setattr(past_turns, "MOST", 6)
        assert "more turns than one replay reads: it begins on" in text(
            admin.post(page(pro), typed(admin, pro, _try="7"))
        )

    def test_tries_what_was_typed_and_saves_nothing(self, admin: Client, pro: Tier):
        said = text(admin.post(page(pro), typed(admin, pro, _try="7")))
        assert "Nothing is saved yet" in said
        assert "at most 2 messages answered by large models a day" in said
        assert "$0.03" in said
        assert Limit.objects.get(tier=pro).amount == 100
        assert not AuditEntry.objects.filter(action="tier_changed").exists()

    def test_keeps_what_was_typed_for_saving(self, admin: Client, pro: Tier):
        form = typed(admin, pro, name="Professional")
        kept = hidden(text(admin.post(page(pro), form | {"_try": "30"})))
        assert admin.post(page(pro), kept | {"_save": ""}).status_code == 302
        assert Limit.objects.get(tier=pro).amount == 2
        assert Tier.objects.get(pk=pro.pk).name == "Professional"
        assert AuditEntry.objects.filter(action="tier_changed").exists()

    def test_goes_back_to_editing_with_what_was_typed(self, admin: Client, pro: Tier):
        kept = hidden(text(admin.post(page(pro), typed(admin, pro, name="Professional", _try="30"))))
        again = pages.shown(admin.post(page(pro), kept | {"_edit": "1"}))
        assert (again["limits-0-amount"], again["name"]) == ("2", "Professional")
        assert Limit.objects.get(tier=pro).amount == 100
        assert Tier.objects.get(pk=pro.pk).name == "Pro"

    def test_a_limit_deleted_in_the_form_is_not_in_the_draft(self, admin: Client, pro: Tier):
        form = typed(admin, pro) | {"limits-0-amount": "0", "limits-0-DELETE": "on", "_try": "7"}
        said = text(admin.post(page(pro), form))
        assert "Neither now nor with the draft would a turn have been refused" in said
        assert "(not in the draft)" in said

    def test_a_wrong_draft_comes_back_with_its_errors(self, admin: Client, pro: Tier):
        answer = admin.post(page(pro), typed(admin, pro, _try="7") | {"limits-0-amount": "-1"})
        assert "Try it" in text(answer)
        assert "At least 0." in text(answer)
        assert Limit.objects.get(tier=pro).amount == 100

    def test_another_name_of_the_tier_finds_its_turns(self, admin: Client, pro: Tier):
        said = text(admin.post(page(pro), typed(admin, pro, slug="premium", _try="7")))
        assert "$0.03" in said
        assert Tier.objects.get(pk=pro.pk).slug == "pro"

    def test_an_empty_ledger_is_told(self, admin: Client, pro: Tier):
        UsageEntry.objects.all().delete()
        assert "No model has answered anybody in the last 90 days" in text(
            admin.post(page(pro), typed(admin, pro, _try="90"))
        )

    def test_only_admins_and_no_other_site_may_try(self, client: Client, admin: Client, bob: User, pro: Tier):
        form = typed(admin, pro, _try="7")
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = admin.cookies
        del form["csrfmiddlewaretoken"]
        assert strict.post(page(pro), form).status_code == 403
        agent = Client()
        agent.force_login(bob)
        assert agent.post(page(pro), form).status_code == 302
        assert admin.post(page(pro), form).status_code == 200


def hidden(said: str) -> pages.Sent:
    """What the page would send again; it has an address of its own to send it to."""
    form = pages._Form()
    form._posts = True
    form.feed(said[said.index('id="what-if"') : said.index("forecast-head")])
    sent: dict[str, list[str]] = {}
    for name, value in form.fields:
        sent.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in sent.items()}
