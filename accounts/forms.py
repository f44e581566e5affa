"""Forms of the admin, where what is stored is not what a person should have to type."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import UserChangeForm, UserCreationForm
from unfold.widgets import (
    UnfoldAdminColorInputWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import Site, User


class LinesField(forms.Field):
    """A list of texts, edited one a line."""

    def __init__(self, *, rows: int = 4, **options: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": rows}), **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:
        lines = value if isinstance(value, list) else (value or "").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial) != self.to_python(data)


class AddressField(forms.URLField):
    """A web address; typed without a scheme it is taken for https."""

    def __init__(self, **options: Any) -> None:
        super().__init__(assume_scheme="https", **options)


def _greeting(language: str) -> forms.Field:
    return forms.CharField(
        required=False, max_length=300, label=f"Greeting in {language}", widget=UnfoldAdminTextInputWidget
    )


def _suggestions(language: str) -> forms.Field:
    return LinesField(
        required=False, label=f"Suggested questions in {language}", help_text="One a line; three fit well."
    )


class SiteForm(forms.ModelForm):
    """A site with its words in each language, instead of JSON."""

    origins = LinesField(
        required=False,
        rows=3,
        label="Pages that may carry the widget",
        help_text="One origin a line, such as https://shop.example.com.",
    )
    greeting_en = _greeting("English")
    greeting_zh = _greeting("简体中文")
    suggestions_en = _suggestions("English")
    suggestions_zh = _suggestions("简体中文")

    class Meta:
        model = Site
        fields = [
            "key",
            "name",
            "origins",
            "assistant",
            "colour",
            "privacy_url",
            "default_tier",
            "allowed_tiers",
        ]
        widgets = {"colour": UnfoldAdminColorInputWidget}
        field_classes = {"privacy_url": AddressField}
        labels = {"privacy_url": "Privacy page"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for locale in ("en", "zh"):
            self.initial.setdefault(f"greeting_{locale}", self.instance.greeting.get(locale, ""))
            self.initial.setdefault(f"suggestions_{locale}", self.instance.suggestions.get(locale, []))

    def clean_origins(self) -> list[str]:
        """Origins as browsers send them: in small letters, without a slash at the end."""
        return [origin.rstrip("/").lower() for origin in self.cleaned_data["origins"]]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("greeting", "suggestions"):
            words = {locale: cleaned.get(f"{name}_{locale}") for locale in ("en", "zh")}
            setattr(self.instance, name, {locale: said for locale, said in words.items() if said})
        return cleaned


STAFF_WIDGETS = {
    "email": UnfoldAdminEmailInputWidget,
    "name": UnfoldAdminTextInputWidget,
    "role": UnfoldAdminSelectWidget,
}


class NewStaffForm(UserCreationForm):
    """Somebody new in the team, with a first password."""

    class Meta:
        model = User
        fields = ["email", "name", "role", "may_reveal"]
        widgets = STAFF_WIDGETS

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(email=email).exists():
            raise ValidationError("Somebody signs in with this address already.")
        return email


class StaffForm(UserChangeForm):
    """Somebody in the team. Nobody can lock themselves out."""

    editor: User

    class Meta:
        model = User
        fields = ["email", "name", "role", "may_reveal", "is_active", "password"]
        widgets = STAFF_WIDGETS
        labels = {"is_active": "May sign in", "may_reveal": "May reveal private values"}

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"].lower())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        admin = cleaned.get("role") == User.Role.ADMIN and cleaned.get("is_active")
        if self.instance == self.editor and not admin:
            raise ValidationError("You cannot take away your own access; ask another admin.")
        return cleaned
