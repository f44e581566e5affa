"""The recognizers that are used, as a visible list."""

from presidio_analyzer import EntityRecognizer

from .card import CardRecognizer
from .email import EmailRecognizer
from .person import PersonRecognizer
from .person_zh import ChinesePersonRecognizer
from .phone import PhoneRecognizer


def all_recognizers() -> list[EntityRecognizer]:
    return [
        EmailRecognizer(),
        CardRecognizer(),
        PhoneRecognizer(),
        PersonRecognizer(),
        ChinesePersonRecognizer(),
    ]
