"""The passages that answer a question, and how often they are the right ones."""

import tomllib
from pathlib import Path

import pytest

from accounts.models import Site, Tier
from bot.knowledge import ingest, search
from bot.models import Article
from bot.tools.knowledge import search_knowledge
from bot.tools.registry import ToolContext, ToolError
from demo import content

pytestmark = pytest.mark.django_db
QUESTIONS = tomllib.loads((Path(__file__).parent / "questions.toml").read_text("utf-8"))
# Measured, of 44 and 36 questions: first hit 0.77 to 0.80 and 0.94, among the first three 0.96 and 1.00.
FLOORS = {"en": (0.74, 0.93), "zh": (0.91, 0.97)}


@pytest.fixture
def shop() -> Site:
    return make_site("shop")


def make_site(key: str) -> Site:
    tier, _ = Tier.objects.get_or_create(slug="any", defaults={"name": "Any"})
    return Site.objects.create(key=key, name=key, default_tier=tier)


def publish(site: Site, title: str, body: str, locale: str = "en", *, published: bool = True) -> Article:
    article = Article.objects.create(
        site=site,
        slug=title.lower(),
        title=title,
        body=body,
        locale=locale,
        published=published,
        url=f"https://shop.example.com/{title.lower()}",
    )
    ingest.index_article(article.pk)
    return article


def titles(site: Site, question: str, locale: str = "en") -> list[str]:
    return [found.title for found in search.passages(site.pk, question, locale)]


@pytest.fixture
def harbor(shop: Site) -> Site:
    """The demo's articles."""
    Article.objects.bulk_create(
        Article(site=shop, slug=page.slug, locale=page.locale, title=page.title, body=page.body)
        for page in content.articles()
    )
    ingest.index_site(shop.pk)
    return shop


def test_search_finds_the_right_articles_and_shows_none_for_questions_from_elsewhere(harbor: Site) -> None:
    missed = []
    for locale, (first_floor, three_floor) in FLOORS.items():
        asked = [(question, slug) for slug, some in QUESTIONS[locale].items() for question in some]
        found = [[one.slug for one in search.passages(harbor.pk, question, locale)] for question, _ in asked]
        first = sum(slug in slugs[:1] for (_, slug), slugs in zip(asked, found, strict=True))
        three = sum(slug in slugs[:3] for (_, slug), slugs in zip(asked, found, strict=True))
        print(
            f"{locale}: {len(asked)} questions, first {first / len(asked):.3f}, in 3 {three / len(asked):.3f}"
        )
        missed += [] if first >= first_floor * len(asked) else [(locale, "first")]
        missed += [] if three >= three_floor * len(asked) else [(locale, "three")]
        for question in QUESTIONS["elsewhere"][locale]:
            missed += [question] if search.best_passage(harbor.pk, question, locale) else []
    assert missed == []


def test_search_answers_from_no_other_site_and_nothing_unpublished(shop: Site) -> None:
    """I7: a site's knowledge never answers on another."""
    publish(make_site("other"), "Returns", "You can return everything within 30 days.")
    publish(shop, "Draft", "You can return everything within 90 days.", published=False)
    question = "Within how many days can I return something?"
    assert titles(shop, question) == []
    assert search.best_passage(shop.pk, question, "en") is None
    publish(shop, "Ours", "You can return everything within 60 days.")
    assert titles(shop, question) == ["Ours"]


def test_search_prefers_the_language_of_the_question_and_falls_back(shop: Site) -> None:
    publish(shop, "Returns", "You can return everything within 30 days of delivery.")
    assert titles(shop, "多少天内可以退货？", "zh") == ["Returns"]
    publish(shop, "退货", "收货后 30 天内都可以退货。", "zh")
    assert titles(shop, "多少天内可以退货？", "en") == ["退货"]
    assert titles(shop, "How many days do I have to return something?", "zh") == ["Returns"]


def test_best_passage_is_stricter_than_what_a_model_may_read(shop: Site) -> None:
    publish(shop, "Returns", "You can return everything within 30 days of delivery.")
    best = search.best_passage(shop.pk, "Can I return something after delivery?", "en")
    assert best is not None
    assert best.url == "https://shop.example.com/returns"
    assert search.ALONE > search.READABLE
    assert search.best_passage(shop.pk, "What is the capital of France?", "en") is None


@pytest.mark.parametrize("question", ["", "?!", "\0", "x" * 5000, "<EMAIL_1>", "😀"])
def test_search_survives_any_text(shop: Site, question: str) -> None:
    publish(shop, "Returns", "You can return everything within 30 days.")
    assert search.passages(shop.pk, question, "en") == []


def test_tool_gives_passages_and_names_each_article_once(shop: Site) -> None:
    body = "Returns are free.\n\n## How to return\n\nAsk for a return label in the chat."
    publish(shop, "Returns", body)
    publish(shop, "Stoves", "Never leave a burning stove alone.")
    context = ToolContext(site="shop", customer=None, locale="en", key="1")
    result = search_knowledge.run(context, query="How do I return something?")
    assert [one.title for one in result.data.passages] == ["Returns", "Returns"]
    assert result.sources == ({"title": "Returns", "url": "https://shop.example.com/returns"},)
    with pytest.raises(ToolError):
        search_knowledge.run(context, query=" ")
    assert search_knowledge.run(context, query="capital of France").sources == ()
