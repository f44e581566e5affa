"""The desk's pages: who may see them, what an agent can do there, and what never reaches them."""

from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.models import User
from bot import queue
from bot.desk import handover
from bot.models import Conversation, Message, ToolCall, Turn
from bot.web import sign_in
from tests.bot.web.conftest import signed_in

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"
ORIGINAL = "my name is Zebulon Quartz, write to zebulon@quartz.example"


@pytest.fixture
def conversation(conversation: Conversation) -> Conversation:
    """Alice has told something private, masked since, and something that is not masked yet."""
    sealed = Fernet(conversation.data_key).encrypt(ORIGINAL.encode())
    masked = "my name is <PERSON_1>, write to <EMAIL_1>"
    conversation.messages.create(author="customer", sealed=sealed, masked=masked)
    conversation.messages.create(author="customer", sealed=sealed)
    return conversation


@pytest.fixture(autouse=True)
def scrub(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """What was handed to the scrubber."""
    handed = Mock()
    monkeypatch.setattr(queue, "scrub_message", handed)
    return handed


@pytest.fixture(autouse=True)
def quick_and_fresh(settings: Any) -> None:
    """Passwords are checked fast, and attempts of other tests do not count."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SECRET_KEY = uuid4().hex + uuid4().hex


def post(client: Client, action: str, conversation: Conversation, **form: str) -> HttpResponse:
    address = reverse(f"desk:{action}", args=[conversation.id])
    return client.post(address, form, headers={"HX-Request": "true"})


def test_pages_send_strangers_to_the_sign_in(client: Client, conversation: Conversation) -> None:
    for address in ("/desk/", "/desk/list/", f"/desk/{conversation.id}/"):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/desk/sign-in/?next=")
        fragment = client.get(address, headers={"HX-Request": "true"})
        assert (fragment.status_code, fragment["HX-Redirect"]) == (401, "/desk/sign-in/")
        assert not fragment.content


def test_actions_of_strangers_change_nothing(client: Client, conversation: Conversation) -> None:
    for action in ("take-over", "reply", "hand-back", "close"):
        assert post(client, action, conversation, text="Hello").status_code == 401
    conversation.refresh_from_db()
    assert (conversation.handler, conversation.closed_at) == ("bot", None)
    assert not Message.objects.filter(author="agent").exists()


def test_actions_without_csrf_token_are_refused(bob: User, conversation: Conversation) -> None:
    client = signed_in(bob, enforce_csrf_checks=True)
    assert post(client, "take-over", conversation).status_code == 403
    conversation.refresh_from_db()
    assert conversation.handler == "bot"


def test_sign_in_opens_the_desk_and_goes_where_it_was_asked(client: Client, bob: User) -> None:
    form = {"email": "Bob@Example.com", "password": PASSWORD}
    assert client.post("/desk/sign-in/", form)["Location"] == "/desk/"
    client.logout()
    assert client.post("/desk/sign-in/", {**form, "next": "/admin/"})["Location"] == "/admin/"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_sign_in_never_leads_elsewhere(client: Client, bob: User, target: str) -> None:
    form = {"email": "bob@example.com", "password": PASSWORD, "next": target}
    assert client.post("/desk/sign-in/", form)["Location"] == "/desk/"


def test_sign_in_refuses_wrong_passwords_and_who_has_left(client: Client, bob: User) -> None:
    wrong = client.post("/desk/sign-in/", {"email": "bob@example.com", "password": "guess"})
    assert (wrong.status_code, "do not match" in wrong.content.decode()) == (401, True)
    User.objects.update(is_active=False)
    left = client.post("/desk/sign-in/", {"email": "bob@example.com", "password": PASSWORD})
    assert left.status_code == 401


def test_sign_in_stops_guessing_after_ten_failures(client: Client, bob: User, dana: User) -> None:
    guess = {"email": "bob@example.com", "password": "guess"}
    assert [client.post("/desk/sign-in/", guess).status_code for _ in range(11)] == [401] * 10 + [429]
    right = {"email": "bob@example.com", "password": PASSWORD}
    refused = client.post("/desk/sign-in/", right)
    assert (refused.status_code, "wait 15 minutes" in refused.content.decode()) == (429, True)
    assert client.post("/desk/sign-in/", right, REMOTE_ADDR="198.51.100.7").status_code == 302
    client.logout()
    assert client.post("/desk/sign-in/", {**right, "email": "dana@example.com"}).status_code == 302


def test_sign_in_forgets_failures_after_a_success(client: Client, bob: User) -> None:
    right = {"email": "bob@example.com", "password": PASSWORD}
    for _ in range(2):
        for _ in range(sign_in.PER_ACCOUNT.amount - 1):
            client.post("/desk/sign-in/", {**right, "password": "guess"})
        assert client.post("/desk/sign-in/", right).status_code == 302
        client.logout()


def test_sign_out_ends_the_session(desk: Client) -> None:
    assert desk.get("/desk/sign-out/").status_code == 405
    desk.post("/desk/sign-out/")
    assert desk.get("/desk/").status_code == 302


def test_pages_show_masked_text_as_chips_and_never_the_original(
    desk: Client, conversation: Conversation
) -> None:
    for address in ("/desk/", f"/desk/{conversation.id}/", f"/desk/{conversation.id}/refresh/"):
        html = desk.get(address).content.decode()
        assert "Zebulon" not in html
        assert "quartz" not in html
        assert "Not yet checked for private details" in html
    assert "Name 1</span>" in html
    assert "E-mail 1</span>" in html
    assert "<PERSON_1>" not in html


def test_pages_speak_the_browsers_language_or_the_chosen_one(desk: Client) -> None:
    assert "收件箱" in desk.get("/desk/", headers={"Accept-Language": "zh-CN"}).content.decode()
    desk.post("/desk/language/", {"language": "zh-hans", "next": "/desk/"})
    assert "收件箱" in desk.get("/desk/", headers={"Accept-Language": "en"}).content.decode()


def test_pages_run_no_inline_script_or_style(desk: Client, conversation: Conversation) -> None:
    response = desk.get(f"/desk/{conversation.id}/")
    html = response.content.decode()
    assert "style=" not in html
    assert "onclick" not in html
    assert html.count("<script") == html.count("<script src=") + html.count('type="application/json"')
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert "no-store" in response["Cache-Control"]


def test_reply_facts_and_tool_calls_are_on_the_page(desk: Client, conversation: Conversation) -> None:
    turn = Turn.objects.create(
        conversation=conversation, state="done", outcome="answered", model="gpt-4o-mini", input_tokens=1234
    )
    ToolCall.objects.create(
        turn=turn, call="c", name="order_status", state="done", arguments={"to": "<EMAIL_1>"}
    )
    message = Message.objects.create(
        conversation=conversation, author="bot", turn=turn, source="model", masked="**Soon**"
    )
    html = desk.get(f"/desk/{conversation.id}/messages/{message.uuid}/").content.decode()
    for expected in ("gpt-4o-mini", "1,234", "order_status", "<strong>Soon</strong>", "E-mail 1</span>"):
        assert expected in html


def test_take_over_reply_and_hand_back(desk: Client, conversation: Conversation, scrub: Mock) -> None:
    assert 'data-state="mine"' in post(desk, "take-over", conversation).content.decode()
    assert post(desk, "reply", conversation, text="Hello Alice").status_code == 200
    message = Message.objects.get(author="agent")
    scrub.assert_called_once_with(message.pk)
    assert message.masked is None
    assert 'data-state="bot"' in post(desk, "hand-back", conversation).content.decode()


def test_take_over_tells_who_was_first(desk: Client, danas_desk: Client, conversation: Conversation) -> None:
    post(desk, "take-over", conversation)
    refused = post(danas_desk, "take-over", conversation)
    assert (refused.status_code, "Bob has this conversation." in refused.content.decode()) == (409, True)
    assert post(danas_desk, "take-over", conversation, force="1").status_code == 200


def test_reply_of_who_does_not_have_it_is_refused_kept_for_them_and_not_stored(
    desk: Client, danas_desk: Client, conversation: Conversation, scrub: Mock
) -> None:
    post(desk, "take-over", conversation)
    refused = post(danas_desk, "reply", conversation, text="Hello")
    assert refused.status_code == 409
    assert not Message.objects.filter(author="agent").exists()
    scrub.assert_not_called()


def test_reply_that_is_too_long_comes_back_to_be_shortened(
    desk: Client, bob: User, conversation: Conversation
) -> None:
    handover.take_over(bob, conversation.id)
    refused = post(desk, "reply", conversation, text="y" * 4001)
    assert refused.status_code == 409
    assert "4000 characters at most" in refused.content.decode()
    assert "y" * 4001 in refused.content.decode()


def test_refresh_answers_nothing_while_the_page_is_up_to_date(
    desk: Client, conversation: Conversation
) -> None:
    html = desk.get(f"/desk/{conversation.id}/").content.decode()
    mark = html.split('data-mark="')[1].split('"')[0]
    address = f"/desk/{conversation.id}/refresh/"
    assert desk.get(address, {"mark": mark}).status_code == 204
    Message.objects.create(conversation=conversation, author="system", masked="Something happened")
    assert "Something happened" in desk.get(address, {"mark": mark}).content.decode()


def test_unknown_conversations_and_messages_are_not_found(desk: Client, conversation: Conversation) -> None:
    assert desk.get(f"/desk/{uuid4()}/").status_code == 404
    assert desk.get(f"/desk/{conversation.id}/messages/{uuid4()}/").status_code == 404
    assert desk.post(f"/desk/{uuid4()}/take-over/").status_code == 404
