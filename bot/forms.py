"""Forms of the admin for what the bot knows and asks."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminURLInputWidget,
)

from accounts.forms import AddressField, LinesField
from bot.models import Article, CannedReply, Provider
from bot.tools import registry


class ArticleForm(forms.ModelForm):
    """An article with room to write in."""

    class Meta:
        model = Article
        fields = ["site", "slug", "locale", "title", "body", "url", "published"]
        field_classes = {"url": AddressField}
        labels = {"locale": "Language", "url": "Page"}
        widgets = {"body": UnfoldAdminTextareaWidget(attrs={"rows": 24})}


def _read_only_tools() -> list[tuple[str, str]]:
    """A prepared answer must not change anything: that needs the customer's yes."""
    names = sorted(name for name, tool in registry.offered().items() if tool.changes is None)
    return [("", "none"), *((name, name) for name in names)]


class CannedReplyForm(forms.ModelForm):
    """A canned reply with its example questions one a line."""

    questions = LinesField(
        rows=6,
        label="Example questions",
        help_text="One a line, in the words customers use. Five or more work best.",
    )
    tool = forms.ChoiceField(
        required=False,
        choices=_read_only_tools,
        widget=UnfoldAdminSelectWidget,
        help_text="A tool whose card is shown below the answer.",
    )

    class Meta:
        model = CannedReply
        fields = ["site", "title", "locale", "questions", "answer", "tool", "answers_first", "enabled"]
        labels = {"locale": "Language"}
        widgets = {"answer": UnfoldAdminTextareaWidget(attrs={"rows": 10})}


class ProviderForm(forms.ModelForm):
    """A provider whose API key can be written, never read."""

    new_key = forms.CharField(
        required=False,
        strip=True,
        label="API key",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="Never shown again. Leave empty to keep the stored one; a new address forgets it.",
    )

    class Meta:
        model = Provider
        fields = [
            "name", "base_url", "enabled", "usage_in_stream", "tools", "system_role", "max_tokens_name",
            "connect_deadline", "max_streams",
        ]  # fmt: skip
        field_classes = {"base_url": AddressField}
        labels = {
            "base_url": "Address",
            "usage_in_stream": "Counts tokens",
            "tools": "Tools",
            "system_role": "System messages",
            "max_tokens_name": "Calls the longest answer",
            "connect_deadline": "Seconds to connect",
            "max_streams": "Answers at once",
        }
        widgets = {"base_url": UnfoldAdminURLInputWidget}

    def clean(self) -> dict[str, Any]:
        """A key belongs to its address: sent to another one, it would be given away."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("new_key"):
            self.instance.key = cleaned["new_key"]
        elif _server(self.initial.get("base_url", "")) != _server(cleaned.get("base_url", "")):
            self.instance.sealed_key = b""
        return cleaned


def _server(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
