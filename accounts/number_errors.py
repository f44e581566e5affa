"""What forms say of a number that they do not take."""

NUMBER_ERRORS = {
    "invalid": "Write a number, with a point before its parts.",
    "min_value": "At least %(limit_value)s.",
    "max_value": "At most %(limit_value)s.",
    "max_digits": "At most %(max)s digits in all.",
    "max_whole_digits": "At most %(max)s digits before the point.",
    "max_decimal_places": "At most %(max)s digits after the point.",
}
WHOLE_ERRORS = {**NUMBER_ERRORS, "invalid": "Write a whole number."}
