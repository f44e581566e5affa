"""The recognizers that are used, as a visible list."""

from presidio_analyzer import EntityRecognizer

from .address import AddressRecognizer
from .address_pinyin import PinyinAddressRecognizer
from .address_zh import ChineseAddressRecognizer
from .bank import BankRecognizer
from .birthdate import BirthdateRecognizer
from .card import CardRecognizer
from .email import EmailRecognizer
from .ip import IpRecognizer
from .national_id import NationalIdRecognizer
from .person import PersonRecognizer
from .person_zh import ChinesePersonRecognizer
from .phone import PhoneRecognizer
from .secret import SecretRecognizer
from .spoken import SpokenNumberRecognizer


def all_recognizers() -> list[EntityRecognizer]:
    numbers = [
        CardRecognizer(),
        PhoneRecognizer(),
        BankRecognizer(),
        NationalIdRecognizer(),
        SecretRecognizer(),
    ]
    return [
        *numbers,
        SpokenNumberRecognizer(numbers),
        EmailRecognizer(),
        IpRecognizer(),
        BirthdateRecognizer(),
        AddressRecognizer(),
        PersonRecognizer(),
        ChinesePersonRecognizer(),
        ChineseAddressRecognizer(),
        PinyinAddressRecognizer(),
    ]
