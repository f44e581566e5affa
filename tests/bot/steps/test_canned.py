"""Prepared answers: never a wrong one before the model, a fair one without it."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Site, Tier
from bot.knowledge import ingest
from bot.models import CannedReply
from bot.steps import canned
from demo import content

pytestmark = pytest.mark.django_db
QUESTIONS = tomllib.loads((Path(__file__).parent / "questions.toml").read_text("utf-8"))


def make_site(key: str) -> Site:
    tier, _ = Tier.objects.get_or_create(slug="any", defaults={"name": "Any"})
    return Site.objects.create(key=key, name=key, default_tier=tier)


def prepare(site: Site, title: str, questions: list[str], locale: str = "en") -> CannedReply:
    reply = CannedReply.objects.create(
        site=site, title=title, questions=questions, locale=locale, answer="An answer."
    )
    ingest.index_canned(reply.pk)
    return reply


@pytest.fixture
def harbor() -> Site:
    """The demo's prepared answers."""
    site = make_site("harbor")
    for reply in content.prepared_answers():
        CannedReply.objects.create(
            site=site,
            title=reply.title,
            locale=reply.locale,
            questions=list(reply.questions),
            answer=reply.answer,
        )
    ingest.index_site(site.pk)
    return site


def asked() -> Iterator[tuple[str, str, str]]:
    for locale in ("en", "zh"):
        for title, questions in QUESTIONS[locale].items():
            yield from ((locale, question, title) for question in questions)


def test_fitting_questions_get_the_right_reply(harbor: Site) -> None:
    matches = [(canned.best(harbor.pk, question, locale), title) for locale, question, title in asked()]
    wrong = [(match, title) for match, title in matches if match is None or match.reply.title != title]
    assert wrong == []
    sure = sum(canned.sure(match) for match, _ in matches if match)
    fair = sum(canned.fair(match) for match, _ in matches if match)
    print(f"{len(matches)} questions: sure {sure / len(matches):.2f}, fair {fair / len(matches):.2f}")
    assert sure >= 0.6 * len(matches)
    assert fair >= 0.9 * len(matches)


def test_questions_that_go_beyond_a_reply_are_never_sure(harbor: Site) -> None:
    questions = [(question, locale) for locale, some in QUESTIONS["beyond"].items() for question in some]
    matches = [canned.best(harbor.pk, question, locale) for question, locale in questions]
    assert [match for match in matches if match and canned.sure(match)] == []


@pytest.mark.parametrize(
    "question",
    [
        "Do you ship to Germany?",
        "Do you not ship to Canada?",
        "Do you ship 3 tents to Canada?",
        "Do you ship to Canada for <PERSON_1>?",
        "Do you ship?",
        "When do you ship to Canada?",
        "Do you ship to Canada? " + "Please tell me more about it. " * 30 + "Is my tent waterproof?",
    ],
)
def test_names_numbers_negations_and_additions_must_match(question: str) -> None:
    site = make_site("shop")
    prepare(site, "Canada", ["Do you ship to Canada?"])
    same = canned.best(site.pk, "do you ship to canada", "en")
    other = canned.best(site.pk, question, "en")
    assert same is not None
    assert other is not None
    assert (canned.sure(same), canned.sure(other)) == (True, False)


def test_best_knows_only_enabled_replies_of_the_site_in_the_language() -> None:
    """I7: a site's prepared answers never answer on another."""
    shop, other = make_site("shop"), make_site("other")
    prepare(other, "Greeting", ["Hello"])
    prepare(shop, "问候", ["Hello"], "zh")
    hidden = prepare(shop, "Hidden", ["Hello"])
    CannedReply.objects.filter(pk=hidden.pk).update(enabled=False)
    assert canned.best(shop.pk, "Hello", "en") is None
    ours = prepare(shop, "Greeting", ["Hello"])
    with CaptureQueriesContext(connection) as queries:
        match = canned.best(shop.pk, "Hello", "en")
        assert match is not None
        assert match.reply == ours
    assert len(queries) == 1
