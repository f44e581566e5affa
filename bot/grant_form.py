"""Forms of what one customer is given: credit, extra allowance, a tier for a while."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import grants
from accounts.grants import BadGrant, Gift
from accounts.models import CLASSES, Customer, Grant, Limit

_MESSAGES = Limit.Metric.MESSAGES
_NAMES = {
    Limit.Metric.MONEY: "US dollars",
    Limit.Metric.MESSAGES: "messages",
    Limit.Metric.TOTAL: "tokens in all",
    Limit.Metric.INPUT: "tokens read",
    Limit.Metric.OUTPUT: "tokens written",
    Limit.Metric.ACTIONS: "tool actions",
}


class MomentInput(forms.DateTimeInput):
    """A day and a time in one field of the browser's own."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        classes = UnfoldAdminTextInputWidget().attrs["class"]
        super().__init__(attrs={"class": classes}, format="%Y-%m-%dT%H:%M")


def reason_field(*, required: bool) -> forms.CharField:
    return forms.CharField(
        required=required,
        min_length=grants.LEAST_REASON,
        max_length=grants.MOST_REASON,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="For the audit log. Leave names, addresses and numbers out.",
    )


class GrantForm(forms.Form):
    """A grant of one kind."""

    amount = forms.DecimalField(
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any", "autofocus": True})
    )
    metric = forms.ChoiceField(label="Of", widget=UnfoldAdminSelectWidget())
    model_class = forms.ChoiceField(
        required=False,
        label="Models",
        choices=[("", "all"), *((name, name) for name in CLASSES)],
        widget=UnfoldAdminSelectWidget(),
    )
    expires_at = forms.DateTimeField(
        label="Ends (UTC)", widget=MomentInput(), help_text="What is left then is gone."
    )
    reason = reason_field(required=True)

    def __init__(self, kind: str, *args: Any, ends: datetime | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        metric: Any = self.fields["metric"]
        metric.choices = [(name, _NAMES[Limit.Metric(name)]) for name in grants.OF_KIND[kind]]
        metric.initial = Limit.Metric.MONEY if kind == Grant.Kind.CREDIT else _MESSAGES
        self.fields["expires_at"].initial = ends

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        facts = {name: cleaned[name] for name in ("metric", "model_class", "amount", "expires_at")}
        try:
            self.gift = Gift(self.kind, **facts)
        except BadGrant as error:
            self.add_error(error.field, str(error))
        return cleaned


class WithdrawForm(forms.Form):
    """Why a grant is taken back."""

    reason = reason_field(required=True)


class CustomerForm(forms.ModelForm):
    """A tier by hand, for good or until a moment."""

    tier_until = forms.DateTimeField(
        required=False,
        label="Until (UTC)",
        widget=MomentInput(),
        help_text="It ends by itself; empty: it stays until somebody changes it.",
    )
    reason = reason_field(required=False)

    class Meta:
        model = Customer
        fields = ["tier", "tier_until"]

    def clean(self) -> dict[str, Any]:
        """A tier for a while has an end that is still to come, and a reason."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        until = cleaned.get("tier_until")
        if not cleaned.get("tier"):
            cleaned["tier_until"] = None
            if "tier" not in self.changed_data and (until or cleaned.get("reason")):
                self.add_error("tier", "Choose the tier: without one the rest changes nothing.")
        elif until and {"tier", "tier_until"} & set(self.changed_data):
            self._check(until, cleaned.get("reason", ""))
        return cleaned

    def _check(self, until: datetime, reason: str) -> None:
        try:
            grants.check_end("tier_until", until)
            grants.checked_reason(reason)
        except BadGrant as error:
            self.add_error(error.field, str(error))


def first_end(customer: Customer, kind: str) -> datetime:
    """Offered as the end: of credit a year from now, of extra allowance that of the present window."""
    if kind == Grant.Kind.CREDIT:
        return timezone.now() + timedelta(days=365)
    return grants.end_of_window(customer)
