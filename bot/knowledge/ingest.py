"""Articles and canned replies made searchable. Any call may run twice, or at once."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Prefetch

from bot.knowledge import split, terms
from bot.knowledge.embed import embed
from bot.models import Article, CannedQuestion, CannedReply, Passage


def index_article(article_id: int) -> None:
    """Split, embed, replace. Does nothing when the article is gone."""
    stored = False
    while not stored:
        article = Article.objects.filter(pk=article_id).first()
        if article is None:
            return
        texts = split.passages(article.body)
        # The title tells the encoder what a passage such as "Within 30 days." is about.
        vectors = embed([f"{article.title}\n{text}" for text in texts])
        stored = _replace_passages(article, texts, vectors)


def index_canned(reply_id: int) -> None:
    """Embed the example questions, replace. Does nothing when the reply is gone."""
    stored = False
    while not stored:
        reply = CannedReply.objects.filter(pk=reply_id).first()
        if reply is None:
            return
        stored = _replace_questions(reply, embed([terms.bare(question) for question in reply.questions]))


def index_site(site_id: int) -> int:
    """Index what is new or has other text than was indexed; tells how many articles and replies."""
    changed = 0
    for article in _articles(site_id):
        if [passage.text for passage in article.passages.all()] != split.passages(article.body):
            index_article(article.pk)
            changed += 1
    for reply in CannedReply.objects.filter(site_id=site_id).prefetch_related("indexed_questions"):
        if sorted(question.text for question in reply.indexed_questions.all()) != sorted(reply.questions):
            index_canned(reply.pk)
            changed += 1
    return changed


def _articles(site_id: int) -> Iterable[Article]:
    in_order = Passage.objects.order_by("position").defer("embedding")
    return Article.objects.filter(site_id=site_id).prefetch_related(Prefetch("passages", in_order))


@transaction.atomic
def _replace_passages(article: Article, texts: list[str], vectors: list[list[float]]) -> bool:
    """False when the article was edited meanwhile: what was embedded is out of date."""
    now = Article.objects.select_for_update().filter(pk=article.pk).values_list("title", "body").first()
    if now is not None and now != (article.title, article.body):
        return False
    if now is not None:
        article.passages.all().delete()
        Passage.objects.bulk_create(
            Passage(article=article, position=position, text=text, embedding=vector)
            for position, (text, vector) in enumerate(zip(texts, vectors, strict=True))
        )
    return True


@transaction.atomic
def _replace_questions(reply: CannedReply, vectors: list[list[float]]) -> bool:
    """False when the questions were edited meanwhile."""
    now = (
        CannedReply.objects.select_for_update()
        .filter(pk=reply.pk)
        .values_list("questions", flat=True)
        .first()
    )
    if now is not None and now != reply.questions:
        return False
    if now is not None:
        reply.indexed_questions.all().delete()
        CannedQuestion.objects.bulk_create(
            CannedQuestion(reply=reply, text=text, embedding=vector)
            for text, vector in zip(reply.questions, vectors, strict=True)
        )
    return True
