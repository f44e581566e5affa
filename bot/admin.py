"""The admin's pages for what the bot knows and which models it asks."""

from contextlib import closing
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db import connection, transaction
from django.db.models import F
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from accounts.audit_admin import Audited
from accounts.ledger_admin import Ledger
from bot import queue
from bot.budget_admin import BudgetAdmin
from bot.customer_admin import CustomerAdmin
from bot.deployment_admin import DeploymentAdmin
from bot.desk import alert_words, nights
from bot.forms import ArticleForm, CannedReplyForm, ProviderForm
from bot.grant_admin import GrantAdmin
from bot.ledger_admin import HoldAdmin, WindowAdmin
from bot.llm.errors import UpstreamError
from bot.llm.openai_compatible import OpenAICompatible
from bot.models import Alert, Article, CannedReply, Model, Provider, RetentionRun
from bot.price_admin import PriceAdmin, in_force
from bot.tier_admin import TierAdmin
from bot.usage_admin import UsageEntryAdmin

__all__ = [
    "BudgetAdmin",
    "CustomerAdmin",
    "DeploymentAdmin",
    "GrantAdmin",
    "HoldAdmin",
    "PriceAdmin",
    "TierAdmin",
    "UsageEntryAdmin",
    "WindowAdmin",
]  # Django finds only modules that are called admin


@admin.register(Article)
class ArticleAdmin(ModelAdmin):
    """Knowledge, searchable a moment after it is saved."""

    form = ArticleForm
    list_display = ["title", "slug", "locale_label", "site", "published", "updated_at"]
    list_filter = ["site", "locale", "published"]
    list_select_related = ["site"]
    search_fields = ["title", "slug", "body"]
    warn_unsaved_form = True
    save_on_top = True
    fieldsets = [
        (None, {"fields": ["title", "body"]}),
        ("Where it belongs", {"fields": [("site", "locale"), ("slug", "url"), "published"]}),
    ]

    @display(description="language", ordering="locale", label=True)
    def locale_label(self, article: Article) -> str:
        return article.get_locale_display()

    def save_model(self, request: HttpRequest, obj: Article, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        transaction.on_commit(lambda: queue.index_article(obj.pk))


@admin.register(CannedReply)
class CannedReplyAdmin(ModelAdmin):
    """Prepared answers."""

    form = CannedReplyForm
    list_display = ["title", "first_question", "locale_label", "site", "answers_first", "enabled"]
    list_filter = ["site", "locale", "answers_first", "enabled"]
    list_select_related = ["site"]
    search_fields = ["title", "answer", "questions"]
    warn_unsaved_form = True
    fieldsets = [
        (None, {"fields": ["title", "questions", "answer"]}),
        ("Where it belongs", {"fields": [("site", "locale"), "tool", "answers_first", "enabled"]}),
    ]

    @display(description="answers such as")
    def first_question(self, reply: CannedReply) -> str:
        return reply.questions[0] if reply.questions else ""

    @display(description="language", ordering="locale", label=True)
    def locale_label(self, reply: CannedReply) -> str:
        return reply.get_locale_display()

    def save_model(self, request: HttpRequest, obj: CannedReply, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        transaction.on_commit(lambda: queue.index_canned(obj.pk))


@admin.register(Provider)
class ProviderAdmin(Audited, ModelAdmin):
    """OpenAI-compatible endpoints."""

    audited = "provider_changed"
    audited_values = ("name", "base_url", "enabled")
    form = ProviderForm
    list_display = ["name", "base_url", "enabled", "has_key"]
    search_fields = ["name"]
    readonly_fields = ["has_key"]
    actions_row = ["test_connection"]
    actions_detail = ["test_connection"]
    warn_unsaved_form = True
    fieldsets = [
        (None, {"fields": ["name", "base_url", "new_key", "has_key", "enabled"]}),
        ("What it understands", {"fields": [
            "usage_in_stream", "tools", "system_role", "max_tokens_name",
        ]}),
        ("What it bears", {"fields": [("connect_deadline", "max_streams")]}),
    ]  # fmt: skip

    @display(description="key stored", boolean=True)
    def has_key(self, provider: Provider) -> bool:
        return bool(provider.sealed_key)

    @action(
        description="Test connection", url_path="test-connection", icon="network_check", permissions=["view"]
    )
    def test_connection(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask the provider which models it offers, and say what came of it."""
        provider = get_object_or_404(Provider, pk=object_id)
        wanted = list(provider.models.filter(enabled=True).values_list("name", flat=True))
        give_connection_back()
        level, text = diagnose(provider, wanted)
        self.message_user(request, text, level)
        return redirect("admin:bot_provider_change", object_id)


def diagnose(provider: Provider, wanted: list[str]) -> tuple[int, str]:
    """Level and sentence for the person who asks whether a provider works."""
    try:
        with closing(OpenAICompatible(provider.base_url, provider.key)) as endpoint:
            offered = endpoint.models()
    except UpstreamError as error:
        return messages.ERROR, f"{provider.name} does not work: {error}"
    some = ", ".join(offered[:20]) + (", …" if len(offered) > 20 else "")
    if missing := sorted(set(wanted) - set(offered)):
        return (
            messages.WARNING,
            f"{provider.name} answers, but does not offer {', '.join(missing)}. It has: {some}",
        )
    return messages.SUCCESS, f"{provider.name} answers. Models on offer: {len(offered)} ({some})"


def give_connection_back() -> None:
    """Nobody else should wait for this database connection while we wait for the network."""
    if not connection.in_atomic_block:
        connection.close()


@admin.register(Model)
class ModelsAdmin(ModelAdmin):
    """Which models answer, in which order, at which price."""

    list_display = ["name", "provider", "model_class", "order", "enabled"]
    readonly_fields = ["price"]
    list_editable = ["order", "enabled"]
    list_filter = ["model_class", "provider", "enabled"]
    list_select_related = ["provider"]
    search_fields = ["name"]
    fieldsets = [
        (None, {"fields": [("provider", "name"), ("model_class", "order"), "enabled", "price"]}),
        ("How much it may read and write", {"fields": [("context_tokens", "answer_tokens")]}),
        (
            "How it chooses its words",
            {
                "description": "Sent only where the model takes them; what is empty is not sent.",
                "fields": [
                    "sampling",
                    ("temperature", "top_p"),
                    ("presence_penalty", "frequency_penalty"),
                ],
            },
        ),
        (
            "Patience",
            {
                "description": "Seconds to the first word, between two words, and for the whole answer. "
                "Empty: as everywhere.",
                "fields": [("first_token_deadline", "silence_deadline", "whole_deadline")],
            },
        ),
    ]

    @display(description="price now")
    def price(self, model: Model) -> str:
        return in_force(model) if model.pk else "Known once it is saved."


@admin.register(Alert)
class AlertAdmin(Ledger):
    """What the admins were told of: open alerts first. Nobody writes here but the rules."""

    list_display = ["title", "state", "measured", "bound_in_words", "since", "over"]
    list_display_links = ["title"]
    show_full_result_count = True
    ordering = [F("over_at").desc(nulls_first=True), "-crossed_at"]
    change_list_template = "admin/alerts.html"
    fieldsets = [
        (None, {"fields": ["title", "state", "measured", "bound_in_words"]}),
        ("What to make of it", {"fields": ["meaning", "look", "page"]}),
        ("When", {"fields": ["since", "told", "over"]}),
    ]

    @display(description="what")
    def title(self, alert: Alert) -> str:
        return alert_words.say(alert).title

    @display(description="state", ordering="over_at", label={"Open": "danger", "Over": "success"})
    def state(self, alert: Alert) -> str:
        return "Over" if alert.over_at else "Open"

    @display(description="measured", ordering="value")
    def measured(self, alert: Alert) -> str:
        return alert_words.say(alert).measured

    @display(description="alert at", ordering="bound")
    def bound_in_words(self, alert: Alert) -> str:
        return alert_words.say(alert).bound

    @display(description="since", ordering="crossed_at")
    def since(self, alert: Alert) -> str:
        return _minute(alert.crossed_at)

    @display(description="e-mail sent")
    def told(self, alert: Alert) -> str:
        return _minute(alert.told_at)

    @display(description="over", ordering="over_at")
    def over(self, alert: Alert) -> str:
        return _minute(alert.over_at)

    @display(description="what it means")
    def meaning(self, alert: Alert) -> str:
        return alert_words.say(alert).meaning

    @display(description="what to do")
    def look(self, alert: Alert) -> str:
        return alert_words.say(alert).look

    @display(description="where to look")
    def page(self, alert: Alert) -> SafeString:
        said = alert_words.say(alert)
        return format_html_join(
            SafeString("<br>"),
            '<a class="text-primary-600 dark:text-primary-500 underline" href="{}">{}</a>',
            [(said.page, said.page_title), *((page, title) for title, page in said.links)],
        )


@admin.register(RetentionRun)
class RetentionRunAdmin(Ledger):
    """Proof that what is too old is deleted, night by night."""

    list_display = ["day", "site", "conversations", "messages", "calls", "text_from", "calls_from", "ended"]
    list_filter = ["site"]
    date_hierarchy = "day"
    list_before_template = "admin/retention.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        runs, ended = nights.last_night()
        hours = nights.hours_since(timezone.now())
        facts = {
            "runs": runs,
            "ended": ended,
            "late_hours": round(hours) if hours and hours > nights.LATE_HOURS else None,
        }
        return super().changelist_view(request, {**facts, **(extra_context or {})})

    @display(description="said before", ordering="text_before")
    def text_from(self, row: RetentionRun) -> str:
        return _minute(row.text_before) if row.text_before else "all is kept"

    @display(description="looked up before", ordering="calls_before")
    def calls_from(self, row: RetentionRun) -> str:
        return _minute(row.calls_before) if row.calls_before else "all is kept"

    @display(description="finished", ordering="finished_at")
    def ended(self, row: RetentionRun) -> str:
        return _minute(row.finished_at)


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "not yet"
