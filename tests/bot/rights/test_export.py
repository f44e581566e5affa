"""A copy of everything about a customer: complete, in clear for them, and nobody else's."""

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts import audit, grants, quota
from accounts.grants import Gift
from accounts.models import Customer, User, Window
from bot.models import Conversation, Message
from bot.rights import export, words
from tests.bot.rights.conftest import AGENT_SAID, COMMENT, EMAIL, NAME, ORDER, PHONE, Told

pytestmark = pytest.mark.django_db

# Programs read this: a name that goes or changes its meaning needs another version.
SCHEMA = {
    "": {
        *("version", "made_at", "site", "customer", "kept", "conversations", "found_by", "usage"),
        *("limits", "grants", "audit"),
    },
    "site": {"key", "name"},
    "customer": {
        *("id", "signed_in", "id_on_site", "name", "email", "contact", "tier", "language", "network"),
        *("first_seen", "last_seen", "erased_at"),
    },
    "kept": {"conversations_days", "tool_calls_days"},
    "conversations": {
        *("id", "opened_at", "active_at", "closed_at", "deleted_at", "language", "handed_over_for"),
        *("messages", "tool_calls", "hidden"),
    },
    "conversations.messages": {
        *("id", "at", "author", "name", "text", "source", "cards", "sources", "rating", "comment"),
    },
    "conversations.tool_calls": {
        *("at", "finished_at", "tool", "state", "title", "lines", "arguments", "result"),
    },
    "conversations.hidden": {"as", "value"},
    "found_by": {"kind", "count"},
    "usage": {"day", "provider", "model", "calls", "input_tokens", "output_tokens"},
    "limits": {"counts", "from", "to", "used"},
    "grants": {"at", "kind", "counts", "amount", "used", "until"},
    "audit": {"at", "action", "by", "conversation", "detail"},
}
PLACEHOLDER = re.compile(r"<[A-Z_]+_\d+>")


def test_everything_is_there_as_it_was_said(nora: Customer, revealed: Conversation) -> None:
    data = export.of(nora)
    assert (data["customer"]["name"], data["customer"]["email"]) == (NAME, EMAIL)
    assert (data["customer"]["id_on_site"], data["customer"]["contact"]) == ("nora-17", EMAIL)
    [conversation] = data["conversations"]
    asked, answered, agent = conversation["messages"]
    assert asked["text"] == f"I am {NAME}, {PHONE}, and wait for {ORDER}, a shipment to the lighthouse"
    assert answered["text"] == f"Dear {NAME}, {ORDER} is on its way."
    assert answered["cards"] == [{"kind": "order", "data": {"id": ORDER, "name": NAME}}]
    assert (answered["rating"], answered["comment"]) == (1, COMMENT)
    assert (agent["name"], agent["text"]) == ("Bob", AGENT_SAID)
    [call] = conversation["tool_calls"]
    assert call["result"] == {"for": NAME, "status": "shipped"}
    assert call["lines"] == [f"for {NAME}"]
    assert {"as": "<PHONE_1>", "value": PHONE} in conversation["hidden"]
    assert {one["kind"]: one["count"] for one in data["found_by"]} == {"email": 1, "phone": 1, "order": 1}
    assert (data["usage"][0]["input_tokens"], data["usage"][0]["calls"]) == (120, 1)


def test_who_looked_is_told_by_the_name_customers_know(
    nora: Customer, revealed: Conversation, dana: User
) -> None:
    [entry] = export.of(nora)["audit"]
    assert (entry["by"], entry["action"]) == ("Dana", "reveal_value")
    assert entry["conversation"] == str(revealed.id)
    told = json.dumps(export.of(nora))
    assert "dana@example.com" not in told
    assert "asked to" not in told
    dana.delete()
    assert export.of(nora)["audit"][0]["by"] == "staff"
    audit.record(nora, "export", f"customer:{nora.id}")
    assert export.of(nora)["audit"][1]["by"] == "you"


def test_nothing_of_another_customer_is_told(nora: Customer, alice: Customer, revealed: Conversation) -> None:
    told = json.dumps(export.of(alice))
    assert not [value for value in (NAME, EMAIL, PHONE, ORDER, COMMENT, str(revealed.id)) if value in told]
    assert export.of(alice)["conversations"] == export.of(alice)["audit"] == []


def test_costs_are_never_told(nora: Customer, told: Told) -> None:
    told(nora)
    assert "cost" not in json.dumps(export.of(nora))


def given(customer: Customer, by: User, amount: int, **kind: str) -> None:
    what = {"kind": "extra", "metric": "messages", "model_class": "", **kind}
    gift = Gift(**what, amount=Decimal(amount), expires_at=timezone.now() + timedelta(days=3))
    grants.give(customer, gift, "Shipment was lost", by)


def test_grants_are_told_and_money_is_not(nora: Customer, dana: User) -> None:
    given(nora, dana, 7777, kind="credit", metric="money")
    given(nora, dana, 5)
    Window.objects.create(
        rule="money:any:month", subject=f"customer:{nora.id}", number=1, settled=8888,
        starts_at=timezone.now(), ends_at=timezone.now(),
    )  # fmt: skip
    data = export.of(nora)
    credit, extra = data["grants"]
    assert (credit["kind"], credit["counts"], credit["amount"], credit["used"]) == (
        "credit",
        "credit",
        None,
        None,
    )
    assert (extra["kind"], extra["counts"], extra["amount"]) == ("extra", "messages", 5)
    assert [entry["action"] for entry in data["audit"]] == ["grant_given", "grant_given"]
    page = export.html(data)
    assert "5 messages" in page
    assert "Gave you something extra" in page
    for told in (json.dumps(data), page):
        assert not [word for word in ("7777", "8888", "money", "Shipment was lost") if word in told]


def test_its_form_is_version_1(nora: Customer, revealed: Conversation, dana: User) -> None:
    quota.hold(revealed.turns.get().id, nora, seconds=60)
    given(nora, dana, 5)
    data = export.of(nora)
    assert data["version"] == 1
    assert json.loads(json.dumps(data)) == data
    for path, names in SCHEMA.items():
        assert set(_first(data, path)) == names, path


def _first(value: dict[str, object], path: str) -> dict[str, object]:
    """What stands at a path, the first of each list on the way."""
    for name in filter(None, path.split(".")):
        inner = value[name]
        value = inner[0] if isinstance(inner, list) else inner  # type: ignore[assignment]
    return value


def test_what_was_deleted_is_named_and_what_is_lost_is_neutral(nora: Customer, told: Told) -> None:
    gone, lost = told(nora), None
    Conversation.objects.filter(id=gone.id).update(
        wrapped_key=b"", forgotten_at=timezone.now(), closed_at=timezone.now()
    )
    lost = told(nora)
    Conversation.objects.filter(id=lost.id).update(wrapped_key=b"of a key that is no more")
    deleted, kept = export.of(nora)["conversations"]
    assert deleted["deleted_at"]
    assert deleted["messages"] == []
    assert kept["messages"][0]["text"].startswith("I am [name], [phone number]")


def test_page_reads_alone_in_the_customers_language(nora: Customer, revealed: Conversation) -> None:
    data = export.of(nora)
    page = export.html(data)
    for value in (NAME, PHONE, ORDER, COMMENT, AGENT_SAID, "nora-17", "Dana", "Looked at a hidden value"):
        assert value in page, value
    assert '<html lang="en">' in page
    assert "<script" not in page
    assert not re.search(r"(src|href)=|url\(|@import", page)
    assert not PLACEHOLDER.search(page)
    data["customer"]["language"] = "zh"
    chinese = export.html(data)
    assert '<html lang="zh-Hans">' in chinese
    assert words.table("zh")["conversations"] in chinese
    assert words.table("en")["lead"] not in chinese


def test_page_shows_what_was_said_and_never_runs_it(nora: Customer, told: Told) -> None:
    conversation = told(nora)
    Message.objects.create(conversation=conversation, author="system", masked="<img src=x onerror=alert(1)>")
    page = export.html(export.of(nora))
    assert "&lt;img src=x" in page
    assert "<img" not in page


def test_an_empty_customer_has_a_page_too(alice: Customer) -> None:
    assert words.table("en")["nothing"] in export.html(export.of(alice))


def test_what_counted_is_named_by_its_metric_and_money_is_not_told(nora: Customer) -> None:
    now = timezone.now()
    for rule in ("messages:large:first:3h", "total_tokens:any:day", "money:any:month"):
        Window.objects.create(
            rule=rule, subject=f"customer:{nora.id}", number=1, starts_at=now, ends_at=now, settled=5
        )
    data = export.of(nora)
    assert [(one["counts"], one["used"]) for one in data["limits"]] == [("messages", 5), ("total_tokens", 5)]
    page = export.html(data)
    assert "<td>tokens</td>" in page
    assert "counts_" not in page
