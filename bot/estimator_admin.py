"""The admin's estimator: what customers would cost a month, before there are any."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.number_errors import NUMBER_ERRORS, WHOLE_ERRORS
from bot import estimator, offers
from bot.estimator import Load

# Takes the place of the form's values by those of the ledger.
MEASURED = "measured"


def _number(
    label: str, help_text: str, field: type[forms.IntegerField] = forms.IntegerField, **options: Any
) -> Any:
    places = {"inputmode": "numeric", "autocomplete": "off"}
    options["error_messages"] = WHOLE_ERRORS
    if field is forms.DecimalField:
        options |= {"max_digits": 12, "decimal_places": 1, "error_messages": NUMBER_ERRORS}
        places |= {"inputmode": "decimal", "step": "any"}
    return field(label=label, help_text=help_text, widget=forms.NumberInput(attrs=places), **options)


class LoadForm(forms.Form):
    """What customers ask."""

    conversations = _number(
        "Conversations a day", "Of all customers together.", forms.DecimalField, min_value=0, max_value=10**7
    )
    questions = _number(
        "Questions in a conversation",
        "That a model answers.",
        forms.DecimalField,
        min_value=0,
        max_value=1000,
    )
    input_tokens = _number("Tokens read for a question", "", min_value=0, max_value=10**7)
    output_tokens = _number(
        "Tokens written for a question",
        "Of all calls of models together; four letters are about one token.",
        min_value=0,
        max_value=10**6,
    )
    cached_percent = _number(
        "Of those read, cached (%)",
        "By the provider: what a prompt has in common with the one before it costs less.",
        forms.DecimalField,
        min_value=0,
        max_value=100,
    )
    small_percent = _number(
        "Answered by small models (%)",
        "For the mixed estimate; the class above answers the rest.",
        forms.DecimalField,
        min_value=0,
        max_value=100,
    )
    messages = _number(
        "Messages a day for each customer",
        "A limit to try; empty: none.",
        min_value=0,
        max_value=10**6,
        required=False,
    )

    def load(self) -> Load:
        return Load(**self.cleaned_data)


def page(request: HttpRequest) -> HttpResponse:
    """Works by GET alone, so that an estimate can be kept as a link."""
    load, form = _asked(request)
    prompt = estimator.prompt_tokens()
    form.fields["input_tokens"].help_text = (
        f"Instructions and tools are {prompt:,} tokens; {estimator.HISTORY_TOKENS:,} more are a start for "
        "what was said before and a help page. A turn that uses a tool reads all of it again."
    )
    context = {
        **admin.site.each_context(request),
        "title": "Estimator",
        "form": form,
        "prompt": prompt,
        "days": estimator.DAYS,
        "has_figures": estimator.has_figures(),
        "is_measured": MEASURED in request.GET,
        "found": estimator.estimate(load, offers.by_class()) if load else None,
    }
    return TemplateResponse(request, "admin/estimator.html", context)


def _asked(request: HttpRequest) -> tuple[Load | None, LoadForm]:
    """What is to be estimated, None where it makes no sense, and the form that shows it."""
    if MEASURED in request.GET and (measured := estimator.measured()):
        return measured, LoadForm(initial=_plainly(measured))
    if not request.GET.keys() & LoadForm.base_fields.keys():
        usual = estimator.usual()
        return usual, LoadForm(initial=_plainly(usual))
    form = LoadForm(request.GET)
    return (form.load() if form.is_valid() else None), form


def _plainly(load: Load) -> dict[str, Any]:
    """Without zeros that nobody would type."""
    return {
        name: f"{value:f}".removesuffix(".0") if isinstance(value, Decimal) else value
        for name, value in asdict(load).items()
    }
