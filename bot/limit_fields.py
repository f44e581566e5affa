"""Fields for amounts and percents, as a person writes them."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from accounts import limit_sentences
from accounts.models.tiers import check_thresholds
from accounts.number_errors import NUMBER_ERRORS

# Between percents, on English and on Chinese keyboards; full-width percent signs, too.
_BETWEEN = re.compile(r"[\s,;，；、]+")
_SIGNS = "%％"


class AmountField(forms.DecimalField):
    """A number without the zeros that its column adds."""

    def __init__(self, **options: Any) -> None:
        places = {"step": "any", "inputmode": "decimal", "class": "limit-amount"}
        widget = UnfoldAdminDecimalFieldWidget(attrs=places)
        super().__init__(widget=widget, error_messages=NUMBER_ERRORS, **options)

    def prepare_value(self, value: Any) -> Any:
        return limit_sentences.plain(value).replace(",", "") if isinstance(value, Decimal) else value


class PercentsField(forms.CharField):
    """Percents, edited as `70, 80, 100`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "70, 80, 100"}), **options)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[int]:  # type: ignore[override]
        said = value if isinstance(value, list) else _BETWEEN.split(str(value or ""))
        try:
            percents = sorted({int(str(one).rstrip(_SIGNS)) for one in said if one != ""})
        except ValueError:
            raise ValidationError("Write percents such as 70, 80, 100.") from None
        check_thresholds(percents)
        return percents

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return sorted(initial or []) != self.to_python(data)
        except ValidationError:
            return True
