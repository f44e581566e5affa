"""Numbers as people write them, and what forms say of those that they do not take."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from bot.estimator_admin import LoadForm
from bot.limit_fields import AmountField, PercentsField


@pytest.mark.parametrize(
    "written", ["70, 80, 100", "100 80 70", "70%，80%，100%", "70；80；100", "70;80;100", "70、80、100％,"]
)
def test_percents_are_taken_as_they_are_written(written: str) -> None:
    assert PercentsField(required=False).clean(written) == [70, 80, 100]


@pytest.mark.parametrize("written", ["70, many", "70.80", "101", "0"])
def test_other_percents_are_refused(written: str) -> None:
    with pytest.raises(ValidationError, match="percents"):
        PercentsField(required=False).clean(written)


def test_no_percents_are_none() -> None:
    assert PercentsField(required=False).clean(" ") == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("-1", "At least 0."),
        ("many", "Write a number, with a point before its parts."),
        ("1.234", "At most 2 digits after the point."),
        ("12345", "At most 3 digits before the point."),
    ],
)
def test_amount_that_is_refused_says_why(written: str, said: str) -> None:
    field = AmountField(min_value=0, max_digits=5, decimal_places=2)
    with pytest.raises(ValidationError) as refused:
        field.clean(written)
    assert said in refused.value.messages


def test_estimator_says_what_a_number_must_be() -> None:
    errors = LoadForm({"conversations": "x", "cached_percent": "101", "input_tokens": "1.5"}).errors
    assert errors["conversations"] == ["Write a number, with a point before its parts."]
    assert errors["cached_percent"] == ["At most 100."]
    assert errors["input_tokens"] == ["Write a whole number."]


@pytest.mark.parametrize(
    "command", [("mail_costs", "--day"), ("reconcile_usage", "e.csv", "--provider", "Acme", "--from")]
)
def test_day_that_is_none_is_refused_in_words(command: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="'yesterday' is not a day: write it as 2026-11-21"):
        call_command(*command, "yesterday")
