"""The form of a tier: its classes are put into order, not typed."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminRadioSelectWidget

from accounts.models import CLASSES, Limit, Tier
from accounts.number_errors import WHOLE_ERRORS
from bot.limit_fields import AmountField
from bot.limit_form import LimitForm
from bot.models import Model

_CEILINGS = ("question_characters", "prompt_tokens", "answer_tokens", "rounds")


class ClassesWidget(forms.CheckboxSelectMultiple):
    """Classes to tick, each with buttons that move it up and down; they are sent in the order shown."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        chosen = value or []
        models = Model.objects.filter(enabled=True, provider__enabled=True).order_by("order", "id")
        rows = [
            {
                "name": one,
                "chosen": one in chosen,
                "models": [model.name for model in models if model.model_class == one],
            }
            for one in [*chosen, *(one for one in CLASSES if one not in chosen)]
        ]
        facts = {"name": name, "rows": rows, "id": (attrs or {}).get("id", "")}
        return SafeString(render_to_string("admin/tier_classes.html", facts))


class ClassesField(forms.MultipleChoiceField):
    """Classes in the order of preference."""

    def __init__(self, **options: Any) -> None:
        choices = [(name, name) for name in CLASSES]
        super().__init__(choices=choices, widget=ClassesWidget, **options)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != list(data or [])


class TierForm(forms.ModelForm):
    """A tier with its classes in order."""

    classes = ClassesField(
        label="Classes in the order of preference",
        error_messages={"required": "Choose one class at least: a tier without any has no model."},
    )
    turn_cost = AmountField(
        required=False,
        min_value=0,
        max_digits=20,
        decimal_places=12,
        label="US dollars",
        help_text="That one turn may cost; empty: the deployment's.",
    )

    class Meta:
        model = Tier
        fields = [
            *("name", "slug", "rank", "classes", "pick"),
            *_CEILINGS,
            "turn_cost",
        ]
        labels = {
            "question_characters": "Characters of a message",
            "prompt_tokens": "Tokens of a prompt",
            "answer_tokens": "Tokens of an answer",
            "rounds": "Rounds",
            "pick": "Which of them answers",
        }
        error_messages = dict.fromkeys(["rank", *_CEILINGS], WHOLE_ERRORS)
        help_texts = {"slug": "By this name a site's token asks for the tier, and its use is counted."}
        widgets = {"pick": UnfoldAdminRadioSelectWidget}

    def clean_classes(self) -> list[str]:
        classes: list[str] = self.cleaned_data["classes"]
        if len(set(classes)) != len(classes):
            raise ValidationError("Name each class once.")
        return classes


class TierLimitForm(LimitForm):
    """A limit of a tier: for each of its customers, or for all of them together."""

    class Meta(LimitForm.Meta):
        fields = [name for name in LimitForm.Meta.fields if name != "site"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scope"].choices = [  # type: ignore[attr-defined]
            (Limit.Scope.CUSTOMER.value, "each customer"),
            (Limit.Scope.TIER.value, "all its customers together"),
        ]
