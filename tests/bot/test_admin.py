import http.server
import json
import re
import threading
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError

from accounts.models import AuditEntry, Site, User
from bot import queue
from bot.admin_menu import MENU
from bot.models import Article, CannedReply, Model, Provider

KEY = "sk-a-secret-that-nobody-may-read"


@pytest.fixture
def admin(client: Client, dana: User) -> Client:
    client.force_login(dana)
    return client


@pytest.fixture
def indexed(monkeypatch) -> list[tuple[str, int]]:
    """What was sent to be indexed."""
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(queue, "index_article", lambda pk: sent.append(("article", pk)))
    monkeypatch.setattr(queue, "index_canned", lambda pk: sent.append(("canned", pk)))
    return sent


def url(model: type, page: str, *args: object) -> str:
    return reverse(f"admin:bot_{model.__name__.lower()}_{page}", args=args)


def article_form(site: Site, **changed: object) -> dict[str, object]:
    return {
        "site": site.pk, "slug": "returns", "locale": "en", "title": "Returns",
        "body": "Within 30 days.", "url": "", "published": "on",
    } | changed  # fmt: skip


def canned_form(site: Site, **changed: object) -> dict[str, object]:
    return {
        "site": site.pk, "title": "Opening hours", "locale": "en", "answer": "Nine to five.",
        "questions": "When are you open?\n\n  Are you open on Sunday? \n", "tool": "", "enabled": "on",
    } | changed  # fmt: skip


class TestArticle:
    def test_article_is_saved_and_indexed(
        self, admin: Client, site: Site, indexed, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            assert admin.post(url(Article, "add"), article_form(site)).status_code == 302
        article = Article.objects.get()
        assert (article.title, indexed) == ("Returns", [("article", article.pk)])
        with django_capture_on_commit_callbacks(execute=True):
            admin.post(url(Article, "change", article.pk), article_form(site, body="Within 60 days."))
        article.refresh_from_db()
        assert (article.body, len(indexed)) == ("Within 60 days.", 2)

    def test_article_is_refused_when_something_is_missing(self, admin: Client, site: Site, indexed):
        for changed in ({"title": ""}, {"body": ""}, {"slug": "a b"}, {"locale": "fr"}, {"url": "not one"}):
            assert admin.post(url(Article, "add"), article_form(site, **changed)).status_code == 200
        assert not Article.objects.exists()
        assert indexed == []

    def test_article_is_saved_though_the_queue_is_away(
        self, admin: Client, site: Site, monkeypatch, django_capture_on_commit_callbacks
    ):
        def away(*_: object) -> None:
            raise OperationalError("no broker")

        monkeypatch.setattr(queue.current_app, "send_task", away)
        with django_capture_on_commit_callbacks(execute=True):
            assert admin.post(url(Article, "add"), article_form(site)).status_code == 302
        assert Article.objects.exists()


class TestCannedReply:
    def test_canned_reply_is_saved_with_a_question_a_line_and_indexed(
        self, admin: Client, site: Site, indexed, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            assert admin.post(url(CannedReply, "add"), canned_form(site)).status_code == 302
        reply = CannedReply.objects.get()
        assert reply.questions == ["When are you open?", "Are you open on Sunday?"]
        assert indexed == [("canned", reply.pk)]
        page = admin.get(url(CannedReply, "change", reply.pk)).content.decode()
        assert "When are you open?\nAre you open on Sunday?" in page

    def test_canned_reply_may_show_a_card_of_a_tool_that_changes_nothing(
        self, admin: Client, site: Site, indexed
    ):
        assert admin.post(url(CannedReply, "add"), canned_form(site, tool="my_orders")).status_code == 302
        assert CannedReply.objects.get().tool == "my_orders"

    @pytest.mark.parametrize(
        "changed",
        [{"questions": " \n "}, {"answer": ""}, {"tool": "cancel_order"}, {"tool": "nothing"}],
        ids=repr,
    )
    def test_canned_reply_is_refused_when_something_is_wrong(
        self, admin: Client, site: Site, indexed, changed
    ):
        assert admin.post(url(CannedReply, "add"), canned_form(site, **changed)).status_code == 200
        assert not CannedReply.objects.exists()
        assert indexed == []


def provider_form(**changed: object) -> dict[str, object]:
    return {
        "name": "OpenAI", "base_url": "https://api.openai.com/v1", "new_key": "", "enabled": "on",
        "usage_in_stream": "on", "tools": "on", "system_role": "on",
        "max_tokens_name": "max_tokens", "connect_deadline": 3,
    } | changed  # fmt: skip


@pytest.fixture
def provider(db) -> Provider:
    provider = Provider(name="OpenAI", base_url="https://api.openai.com/v1")
    provider.key = KEY
    provider.save()
    return provider


class TestProvider:
    def test_key_is_written_and_never_shown(self, admin: Client):
        assert admin.post(url(Provider, "add"), provider_form(new_key=KEY)).status_code == 302
        provider = Provider.objects.get()
        assert provider.key == KEY
        assert KEY.encode() not in bytes(provider.sealed_key)
        for page in (url(Provider, "changelist"), url(Provider, "change", provider.pk)):
            assert KEY not in admin.get(page).content.decode()

    def test_key_is_not_shown_when_the_form_is_refused(self, admin: Client):
        answer = admin.post(url(Provider, "add"), provider_form(new_key=KEY, name=""))
        assert answer.status_code == 200
        assert KEY not in answer.content.decode()

    def test_key_stays_when_none_is_written(self, admin: Client, provider: Provider):
        form = provider_form(base_url="https://API.openai.com/v2", name="Renamed")
        assert admin.post(url(Provider, "change", provider.pk), form).status_code == 302
        provider.refresh_from_db()
        assert (provider.name, provider.key) == ("Renamed", KEY)

    def test_where_messages_go_is_recorded_without_the_key(self, admin: Client, provider: Provider):
        form = provider_form(base_url="https://other.example.com/v1", new_key="another-key")
        admin.post(url(Provider, "change", provider.pk), form)
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.subject) == ("provider_changed", f"provider:{provider.pk}")
        assert entry.detail["before"] == {"base_url": "https://api.openai.com/v1"}
        assert entry.detail["after"] == {"base_url": "https://other.example.com/v1"}
        assert KEY not in str(entry.detail)
        assert "another-key" not in str(entry.detail)

    @pytest.mark.parametrize("address", ["https://evil.example.com/v1", "http://api.openai.com/v1"])
    def test_key_is_forgotten_when_it_would_go_elsewhere(
        self, admin: Client, provider: Provider, address: str
    ):
        page = url(Provider, "change", provider.pk)
        admin.post(page, provider_form(base_url=address))
        provider.refresh_from_db()
        assert (provider.base_url, provider.key) == (address, "")
        admin.post(page, provider_form(base_url=address, new_key="another"))
        provider.refresh_from_db()
        assert provider.key == "another"

    def test_ceiling_on_its_streams_is_at_least_one_or_none(self, admin: Client, provider: Provider):
        page = url(Provider, "change", provider.pk)
        for written, stored in (("5", 5), ("0", 5), ("", None)):
            admin.post(page, provider_form(max_streams=written))
            provider.refresh_from_db()
            assert provider.max_streams == stored

    def test_key_is_not_for_agents(self, client: Client, bob: User, provider: Provider):
        client.force_login(bob)
        for page in (
            url(Provider, "change", provider.pk),
            reverse("admin:bot_provider_test_connection", args=[provider.pk]),
        ):
            assert client.get(page).status_code == 302
            assert client.get(page)["Location"].startswith("/admin/login/")


class Endpoint(http.server.BaseHTTPRequestHandler):
    """A provider that knows one key and two models."""

    def do_GET(self) -> None:
        known = self.headers["Authorization"] == f"Bearer {KEY}"
        body = (
            {"data": [{"id": "small-1"}, {"id": "<b>large-1</b>"}]}
            if known
            else {"error": {"message": "bad key"}}
        )
        self.send_response(200 if known else 401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


class TestConnection:
    def told(self, admin: Client, provider: Provider) -> str:
        page = reverse("admin:bot_provider_test_connection", args=[provider.pk])
        return admin.get(page, follow=True).content.decode()

    def test_connection_lists_the_models(self, admin: Client, provider: Provider, endpoint: str):
        Provider.objects.update(base_url=endpoint)
        text = self.told(admin, provider)
        assert "OpenAI answers. Models on offer: 2 (small-1, &lt;b&gt;large-1&lt;/b&gt;)" in text

    def test_connection_names_models_that_are_not_offered(
        self, admin: Client, provider: Provider, endpoint: str
    ):
        Provider.objects.update(base_url=endpoint)
        Model.objects.create(provider=provider, name="gone-1", model_class="small")
        assert "does not offer gone-1" in self.told(admin, provider)

    def test_connection_tells_that_the_key_is_refused(self, admin: Client, provider: Provider, endpoint: str):
        Provider.objects.update(base_url=endpoint)
        provider.refresh_from_db()
        provider.key = "wrong"
        provider.save()
        text = self.told(admin, provider)
        assert "OpenAI does not work" in text
        assert "401" in text

    def test_connection_tells_that_nobody_is_there(self, admin: Client, provider: Provider):
        Provider.objects.update(base_url="http://127.0.0.1:9/v1")
        assert "OpenAI does not work" in self.told(admin, provider)


@pytest.mark.parametrize("model", [Article, CannedReply, Provider, Model])
def test_every_page_opens(admin: Client, site: Site, provider: Provider, model: type):
    Article.objects.create(site=site, slug="returns", title="Returns", body="Within 30 days.")
    CannedReply.objects.create(site=site, title="Hours", questions=["When?"], answer="Nine.")
    Model.objects.create(provider=provider, name="small-1", model_class="small")
    assert admin.get(url(model, "changelist")).status_code == 200
    assert admin.get(url(model, "changelist"), {"q": "returns"}).status_code == 200
    assert admin.get(url(model, "add")).status_code == 200
    assert admin.get(url(model, "change", model.objects.get().pk)).status_code == 200


@pytest.mark.parametrize("shown", ["admin:accounts_tier_changelist", "admin:estimator"])
def test_menu_lights_one_entry(admin: Client, shown: str):
    here = re.findall(r'<a href="([^"]+)" class="[^"]*\bactive\b', admin.get(reverse(shown)).content.decode())
    assert here == [reverse(shown)]


def test_menu_leads_to_pages_that_open(admin: Client, site: Site):
    for group in MENU:
        for page in group["items"]:
            assert admin.get(str(page["link"])).status_code == 200
