"""The form of a limit, which refuses what could not be meant."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet
from django.utils.functional import cached_property
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import limit_presets, spending
from accounts.limit_sentences import sentence
from accounts.models import CLASSES, Limit, Site, Tier
from bot import limit_pages, limit_warnings
from bot.limit_fields import AmountField, PercentsField
from bot.models import Model

_CLASS, _MODEL = "class:", "model:"
_OF = {
    Limit.Metric.MESSAGES: "messages",
    Limit.Metric.INPUT: "tokens read",
    Limit.Metric.OUTPUT: "tokens written",
    Limit.Metric.TOTAL: "tokens in all",
    Limit.Metric.MONEY: "US dollars",
    Limit.Metric.ACTIONS: "tool actions",
}
_THEN = {
    Limit.WhenFull.NEXT: "a cheaper class answers",
    Limit.WhenFull.DEGRADE: "answers without a model",
    Limit.WhenFull.TEXT: "… with a text of your own",
}
_COUNTED_BY_TURN = (Limit.Metric.MESSAGES, Limit.Metric.ACTIONS)
# What is not sent, since it does not matter, has its default.
_DEFAULTED = ("metric", "scope", "period", "week_starts", "when_full")


def _about_choices() -> list[tuple[str, Any]]:
    names = Model.objects.order_by("name").values_list("name", flat=True).distinct()
    return [
        ("", "all models"),
        *((f"{_CLASS}{name}", f"{name} models") for name in CLASSES),
        ("One model", [(f"{_MODEL}{name}", name) for name in names]),
    ]


class LimitForm(forms.ModelForm):
    """A limit with one choice of what it counts, and its text in each language."""

    amount = AmountField(min_value=0, max_digits=20, decimal_places=6, label="At most")
    about = forms.ChoiceField(
        required=False, label="By", widget=UnfoldAdminSelectWidget, help_text="A class, or one model."
    )
    warn_at = PercentsField(
        required=False, label="Tell the admins at", help_text="Percents; empty: they are not told."
    )
    text_en = forms.CharField(
        required=False, max_length=300, label="Text in English", widget=UnfoldAdminTextInputWidget
    )
    text_zh = forms.CharField(
        required=False, max_length=300, label="Text in 简体中文", widget=UnfoldAdminTextInputWidget
    )

    class Meta:
        model = Limit
        fields = [
            *("scope", "site", "amount", "metric", "about", "period", "hours", "week_starts"),
            *("when_full", "text_en", "text_zh", "warn_at"),
        ]
        labels = {
            "scope": "For",
            "metric": "Of",
            "period": "In",
            "hours": "Hours",
            "week_starts": "Week begins on",
            "when_full": "When it is full",
        }

    def __init__(self, *args: Any, tier: Tier | None = None, zone: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tier = tier or self.instance.tier
        self.zone = zone or spending.zone()
        limit = self.instance
        self.fields["about"].choices = _known(_about_choices(), limit)  # type: ignore[attr-defined]
        self.fields["metric"].choices = list(_OF.items())  # type: ignore[attr-defined]
        self.fields["when_full"].choices = list(_THEN.items())  # type: ignore[attr-defined]
        about = f"{_MODEL}{limit.model}" if limit.model else f"{_CLASS}{limit.model_class}"
        self.initial.setdefault("about", about if limit.model or limit.model_class else "")
        self.initial.setdefault("text_en", limit.words.get("en", ""))
        self.initial.setdefault("text_zh", limit.words.get("zh", ""))
        for name in _DEFAULTED:
            if field := self.fields.get(name):
                field.required = False

    @cached_property
    def changed_data(self) -> list[str]:
        """Without fields that were not sent and had their default before."""
        changed: list[str] = super().changed_data
        return [name for name in changed if name not in _DEFAULTED or not self._is_default(name)]

    def _is_default(self, name: str) -> bool:
        before = self.get_initial_for_field(self.fields[name], name)
        unsent = self[name].data in ("", None)
        return bool(unsent and before == self.instance._meta.get_field(name).get_default())

    def clean_hours(self) -> int | None:
        """A window from the first use has hours, others have none."""
        from_first = self.cleaned_data.get("period") == Limit.Period.FIRST_USE
        hours: int | None = self.cleaned_data["hours"]
        if from_first and not hours:
            raise ValidationError("Say how many hours after the first use the window ends.")
        if hours and not from_first:
            raise ValidationError("Hours go with windows from the first use: choose that period, or none.")
        return hours

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in _DEFAULTED:
            if name in self.fields and cleaned.get(name) in ("", None):
                cleaned[name] = self.instance._meta.get_field(name).get_default()
        if cleaned["period"] != Limit.Period.WEEK:
            cleaned["week_starts"] = 0
        self._take(cleaned)
        for field, wrong in [*self._wrong(cleaned)]:
            self.add_error(field, wrong)
        return cleaned

    def _take(self, cleaned: dict[str, Any]) -> None:
        """What has no field of its own."""
        about, limit = cleaned.get("about") or "", self.instance
        limit.model_class = about.removeprefix(_CLASS) if about.startswith(_CLASS) else ""
        limit.model = about.removeprefix(_MODEL) if about.startswith(_MODEL) else ""
        words = {"en": cleaned.get("text_en"), "zh": cleaned.get("text_zh")}
        own = cleaned["when_full"] == Limit.WhenFull.TEXT
        limit.words = {locale: said for locale, said in words.items() if said and own}

    def _wrong(self, cleaned: dict[str, Any]) -> Iterable[tuple[str, str]]:
        metric, amount = cleaned["metric"], cleaned.get("amount")
        if amount is not None and metric != Limit.Metric.MONEY and amount != int(amount):
            yield "amount", "A whole number: only money is counted in parts."
        if metric == Limit.Metric.ACTIONS and cleaned.get("about"):
            yield "about", "Tool actions are counted whichever model asks for them."
        if cleaned["when_full"] == Limit.WhenFull.NEXT and (why := self._why_no_next(metric)):
            yield "when_full", why
        if cleaned["when_full"] == Limit.WhenFull.TEXT and not self.instance.words:
            yield "text_en", "Write the text, in one language at least."
        if cleaned["scope"] in Limit.OF_EACH and cleaned.get("warn_at"):
            yield "warn_at", "The admins are told of limits that many share, not of each one's: empty this."

    def _why_no_next(self, metric: str) -> str:
        """Why the next cheaper class cannot answer; empty where it may."""
        limit, classes = self.instance, self.tier.classes if self.tier else list(CLASSES)
        if metric == Limit.Metric.ACTIONS:
            return "Tool actions do not depend on the class that answers."
        dearest = limit.model_class or _class_of(limit.model)
        if not dearest:
            if len(classes) == 1:
                return f"The tier has {classes[0]} models only: nothing is cheaper."
            if not limit.model and metric in _COUNTED_BY_TURN:
                return (
                    "This counts messages of all classes: when it is full, it is full for cheaper ones, too."
                )
            return ""
        if not set(classes) & set(CLASSES[: CLASSES.index(dearest)]):
            return f"No class that may answer is cheaper than {dearest}."
        return ""

    @property
    def said(self) -> str:
        """What the limit means; before it has an amount, that it has none."""
        limit = self.instance
        return sentence(limit, self.zone) if limit.amount is not None else "A new limit: say how much."

    @property
    def usage(self) -> str:
        """How far it is used now; empty before it is saved."""
        return limit_pages.usage(self.instance, self.zone) if self.instance.pk else ""

    @property
    def warned(self) -> str:
        return self.warning() if self.instance.pk else ""

    def warning(self) -> str:
        """What is allowed, but may surprise; empty where nothing does."""
        return limit_warnings.of(self.instance, self.tier)


class LimitFormSet(BaseInlineFormSet):
    """The limits of a tier: no two may count the same."""

    @cached_property
    def zone(self) -> str:
        return spending.zone()

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return {**super().get_form_kwargs(index), "tier": self.instance, "zone": self.zone}

    def clean(self) -> None:
        super().clean()
        seen: set[tuple[Any, ...]] = set()
        for form in self.forms:
            if getattr(form, "cleaned_data", {}).get("DELETE") or (
                not form.has_changed() and not form.instance.pk
            ):
                continue
            measure = limit_presets.measure(form.instance)
            if measure in seen:
                form.add_error("amount", "Another limit counts the same: change that one.")
            seen.add(measure)


class BudgetForm(LimitForm):
    """A limit that many tiers share: of a site, of network addresses, or of the deployment."""

    site = forms.ModelChoiceField(
        Site.objects.order_by("name"),
        required=False,
        empty_label="every site",
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, saved: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.saved = saved
        self.fields["scope"].initial = Limit.Scope.DEPLOYMENT
        self.fields["scope"].choices = [  # type: ignore[attr-defined]
            (Limit.Scope.DEPLOYMENT.value, "the whole deployment"),
            (Limit.Scope.SITE.value, "one site"),
            (Limit.Scope.ADDRESS.value, "each network address of anonymous visitors"),
        ]

    def _wrong(self, cleaned: dict[str, Any]) -> Iterable[tuple[str, str]]:
        yield from super()._wrong(cleaned)
        if cleaned["scope"] == Limit.Scope.SITE and not cleaned.get("site"):
            yield "site", "Say which site."
        if cleaned["scope"] == Limit.Scope.DEPLOYMENT and cleaned.get("site"):
            yield "site", "A limit of the whole deployment is not of one site."

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.saved and not self.errors and limit_presets.same(self.instance).exists():
            self.add_error("amount", "Another limit counts the same: change that one.")


def _known(choices: list[tuple[str, Any]], limit: Limit) -> list[tuple[str, Any]]:
    """With the limit's model, also where no provider has it any more."""
    name, models = choices[-1]
    if limit.model and (f"{_MODEL}{limit.model}", limit.model) not in models:
        models = [*models, (f"{_MODEL}{limit.model}", limit.model)]
    return [*choices[:-1], *([(name, models)] if models else [])]


def _class_of(model: str) -> str:
    """The dearest class of a model by its name; empty where no provider has it."""
    classes = set(Model.objects.filter(name=model).values_list("model_class", flat=True))
    return max(classes, key=CLASSES.index, default="")
