"""Articles and canned replies made searchable."""

from collections.abc import Callable, Sequence

import pytest

from accounts.models import Site, Tier
from bot.knowledge import ingest
from bot.models import Article, CannedReply

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Site:
    return Site.objects.create(
        key="shop", name="Shop", default_tier=Tier.objects.create(slug="any", name="Any")
    )


@pytest.fixture
def article(shop: Site) -> Article:
    body = "Within 30 days.\n\n## Exchanges\n\nThey are free."
    return Article.objects.create(site=shop, slug="returns", title="Returns", body=body)


@pytest.fixture
def reply(shop: Site) -> CannedReply:
    return CannedReply.objects.create(site=shop, title="Hi", questions=["Hello", "Hi"], answer="Hello!")


def texts(article: Article) -> list[str]:
    return list(article.passages.order_by("position").values_list("text", flat=True))


def edit_while_embedding(monkeypatch: pytest.MonkeyPatch, edit: Callable[[], object]) -> None:
    """Have somebody edit once, after the text was read and before its vectors are stored."""
    embed, edits = ingest.embed, [edit]

    def slow(texts: Sequence[str]) -> list[list[float]]:
        vectors = embed(texts)
        if edits:
            edits.pop()()
        return vectors

    monkeypatch.setattr(ingest, "embed", slow)


def test_index_article_replaces_its_passages_and_may_run_twice(article: Article) -> None:
    ingest.index_article(article.pk)
    ingest.index_article(article.pk)
    assert texts(article) == ["Within 30 days.", "**Exchanges**\n\nThey are free."]
    Article.objects.filter(pk=article.pk).update(body="Never.")
    ingest.index_article(article.pk)
    assert texts(article) == ["Never."]


def test_index_article_stores_the_newer_text_when_edited_meanwhile(
    article: Article, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = Article.objects.filter(pk=article.pk)
    edit_while_embedding(monkeypatch, lambda: edited.update(body="Newer."))
    ingest.index_article(article.pk)
    assert texts(article) == ["Newer."]


def test_indexing_does_nothing_when_the_text_is_deleted_meanwhile(
    article: Article, reply: CannedReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit_while_embedding(monkeypatch, lambda: article.site.delete())
    ingest.index_article(article.pk)
    ingest.index_canned(reply.pk)
    assert not Article.objects.exists()


def test_index_canned_stores_the_newer_questions_when_edited_meanwhile(
    reply: CannedReply, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = CannedReply.objects.filter(pk=reply.pk)
    edit_while_embedding(monkeypatch, lambda: edited.update(questions=["Good morning"]))
    ingest.index_canned(reply.pk)
    assert [question.text for question in reply.indexed_questions.all()] == ["Good morning"]


def test_index_site_does_only_what_is_new_or_changed(article: Article, reply: CannedReply) -> None:
    assert ingest.index_site(article.site_id) == 2
    assert ingest.index_site(article.site_id) == 0
    Article.objects.filter(pk=article.pk).update(body="Changed.")
    assert ingest.index_site(article.site_id) == 1
    assert texts(article) == ["Changed."]
    assert reply.indexed_questions.count() == 2
