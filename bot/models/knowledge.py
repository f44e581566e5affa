"""What a site publishes for its customers, and the answers it has prepared."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from pgvector.django import VectorField

from accounts.models import LOCALES, Site

DIMENSIONS = 512


class Article(models.Model):
    """A page of knowledge, written in Markdown."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="articles")
    slug = models.SlugField(max_length=100)
    locale = models.CharField(max_length=5, choices=LOCALES, default="en")
    title = models.CharField(max_length=200)
    body = models.TextField(help_text="Markdown.")
    url = models.URLField(blank=True, help_text="Where customers read it; named as the source of answers.")
    published = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["slug", "locale"]
        constraints = [
            models.UniqueConstraint(fields=["site", "slug", "locale"], name="one_article_per_locale")
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.locale})"


class Passage(models.Model):
    """A searchable piece of an article."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="passages")
    position = models.PositiveSmallIntegerField()
    text = models.TextField()
    embedding = VectorField(dimensions=DIMENSIONS)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["article", "position"], name="one_passage_per_position")
        ]

    def __str__(self) -> str:
        return f"{self.article} #{self.position}"


def check_questions(value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(q, str) and q.strip() for q in value) or not value:
        raise ValidationError('Write at least one question, such as ["When are you open?"].')


class CannedReply(models.Model):
    """A prepared answer with example questions, optionally with one read-only tool call."""

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="canned_replies")
    title = models.CharField(max_length=100)
    locale = models.CharField(max_length=5, choices=LOCALES, default="en")
    questions = models.JSONField(default=list, validators=[check_questions])
    answer = models.TextField(help_text="Markdown.")
    tool = models.CharField(max_length=64, blank=True, help_text="A read-only tool whose card is shown too.")
    answers_first = models.BooleanField(
        "may answer before the model",
        default=True,
        help_text="Otherwise it stands in when the model cannot be asked.",
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "canned replies"
        ordering = ["title", "locale"]
        constraints = [
            models.UniqueConstraint(fields=["site", "title", "locale"], name="one_canned_per_locale")
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.locale})"


class CannedQuestion(models.Model):
    """One example question of a canned reply, as the search sees it."""

    reply = models.ForeignKey(CannedReply, on_delete=models.CASCADE, related_name="indexed_questions")
    text = models.TextField()
    embedding = VectorField(dimensions=DIMENSIONS)

    def __str__(self) -> str:
        return self.text
