"""What a site does with private values, as an admin sets it."""

from collections.abc import Iterator
from typing import Any

import phonenumbers
import regex
from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import masking, phones
from accounts.forms import LinesField, SiteForm
from accounts.number_errors import WHOLE_ERRORS

MOST_PATTERNS = 20
PATTERN_CHARACTERS = 200
LONGEST_DAYS = 3650
PATTERN_SECONDS = 0.05

# What makes a pattern that repeats something repeated try everything there is.
_NASTY = ("a" * 3000, "1" * 3000, "A1-" * 1000, "1 " * 1500, "-" * 3000)
# What no number of a shop looks like: a pattern for these would uncover what must stay private.
_PRIVATE = ("alice@example.com", "4111111111111111", "4111 1111 1111 1111", "Alice Miller", "王小明")
_WORDS: dict[masking.Action, str] = {"mask": "Mask", "keep": "Keep", "refuse": "Refuse"}

EXPLAINED = (
    "<b>Mask</b>: the customer and the tools that act for them have the value; models, staff, logs and "
    "statistics see a placeholder such as &lt;EMAIL_1&gt;.<br>"
    "<b>Keep</b>: models and staff see the value, too; choose it where answers are no good without.<br>"
    "<b>Refuse</b>: the value is deleted from the message for good; the customer is told so and asked not "
    "to send such things.<br>What your tools declare private is masked whatever you choose here."
)


def _action(kind: str) -> forms.ChoiceField:
    facts = masking.KINDS[kind]
    choices = [
        (one, f"{_WORDS[one]} (usual)" if one == facts.usual else _WORDS[one])
        for one in masking.choices(kind)
    ]
    return forms.ChoiceField(
        required=False,
        label=facts.label,
        choices=choices,
        initial=facts.usual,
        help_text=facts.example,
        widget=UnfoldAdminSelectWidget,
    )


class CodesField(forms.CharField):
    """A list of short codes, edited as `US, GB, CN`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=UnfoldAdminTextInputWidget, **options)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        codes = value if isinstance(value, list) else str(value or "").replace(",", " ").split()
        return list(dict.fromkeys(code.upper() for code in codes))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(initial) != self.to_python(data)


def _days(label: str, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_DAYS,
        label=label,
        help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget,
        error_messages=WHOLE_ERRORS,
    )


class WholeSiteForm(SiteForm):
    """A site with its words and what it does with private values."""

    masking_EMAIL = _action("EMAIL")
    masking_PHONE = _action("PHONE")
    masking_CARD = _action("CARD")
    masking_BANK = _action("BANK")
    masking_NATIONAL_ID = _action("NATIONAL_ID")
    masking_IP = _action("IP")
    masking_PERSON = _action("PERSON")
    masking_ADDRESS = _action("ADDRESS")
    masking_BIRTHDATE = _action("BIRTHDATE")
    masking_SECRET = _action("SECRET")
    id_patterns = LinesField(
        required=False,
        label="Your own numbers",
        help_text="Order, item and tracking numbers, which are never masked: one regular expression a line, "
        r"such as TRK\d{10}. Numbers such as HP-10423, #W2378156 and AB12345 are known without.",
    )
    phone_regions = CodesField(
        required=False,
        label="Where your customers telephone",
        help_text="Countries whose phone numbers are written without +, by their two letters. "
        f"Empty: {', '.join(phones.REGIONS)}.",
    )
    text_days = _days(
        "Conversations, in days",
        "Then what was said, the placeholders and the key to all of it are deleted; counts and costs stay. "
        "Empty: never.",
    )
    call_days = _days(
        "Records of tools, in days",
        "Then what the assistant looked up and did is deleted, while the conversation stays. "
        "Empty: with the conversation.",
    )

    class Meta(SiteForm.Meta):
        fields = [*SiteForm.Meta.fields, "id_patterns", "phone_regions", "text_days", "call_days"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, kind in _action_fields(self):
            self.initial.setdefault(name, self.instance.masking.get(kind, masking.DEFAULTS[kind]))

    def clean_id_patterns(self) -> list[str]:
        patterns: list[str] = self.cleaned_data["id_patterns"]
        wrong = [f"Line {line}: {why}" for line, why in _wrong(patterns)]
        if len(patterns) > MOST_PATTERNS:
            wrong.append(f"At most {MOST_PATTERNS} patterns; join some with |.")
        if wrong:
            raise ValidationError(wrong)
        return patterns

    def clean_phone_regions(self) -> list[str]:
        codes: list[str] = self.cleaned_data["phone_regions"]
        if unknown := [code for code in codes if code not in phonenumbers.SUPPORTED_REGIONS]:
            raise ValidationError(f"No such country: {', '.join(unknown)}. Write two letters, such as GB.")
        return codes

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        chosen = {kind: cleaned.get(name) for name, kind in _action_fields(self)}
        self.instance.masking = {
            kind: action for kind, action in chosen.items() if action and action != masking.DEFAULTS[kind]
        }
        return cleaned


# The rows of the form, two a line.
ROWS: list[tuple[str, ...]] = [
    ("masking_EMAIL", "masking_PHONE"),
    ("masking_PERSON", "masking_ADDRESS"),
    ("masking_CARD", "masking_BANK"),
    ("masking_SECRET", "masking_NATIONAL_ID"),
    ("masking_BIRTHDATE", "masking_IP"),
    ("id_patterns",),
    ("phone_regions",),
    ("text_days", "call_days"),
]


def _action_fields(form: forms.ModelForm) -> Iterator[tuple[str, str]]:
    for name in form.fields:
        if name.startswith("masking_"):
            yield name, name.removeprefix("masking_")


def _wrong(patterns: list[str]) -> Iterator[tuple[int, str]]:
    for line, pattern in enumerate(patterns, 1):
        if why := _why_wrong(pattern):
            yield line, why


def _why_wrong(pattern: str) -> str:
    """Why a pattern will not do; empty where it will."""
    if len(pattern) > PATTERN_CHARACTERS:
        return f"longer than {PATTERN_CHARACTERS} characters."
    try:
        compiled = regex.compile(pattern)
        if compiled.search("", timeout=PATTERN_SECONDS):
            return "matches where nothing stands, and so everywhere."
        for text in _PRIVATE:
            if compiled.fullmatch(text, timeout=PATTERN_SECONDS):
                return f"also matches {text}, which must stay private."
        for text in _NASTY:
            # With the pattern's own characters behind, or it sees at once that it cannot match.
            list(compiled.finditer(f"{text}!{pattern}", timeout=PATTERN_SECONDS))
    except regex.error as error:
        return f"not a regular expression ({error})."
    except (TimeoutError, RecursionError):
        return "takes too long on some texts; repeat less, such as \\d{10} for (\\d+)+."
    return ""
