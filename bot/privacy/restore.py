"""Put private values back where the customer, or a tool that acts for them, needs the real ones."""

import re
from collections.abc import Container, Mapping
from typing import Any

from .placeholders import PLACEHOLDER
from .straighten import DeltaBuffer, straighten

__all__ = ["DeltaBuffer", "restore", "restore_json", "straighten", "straighten_json", "unknown"]

# What is shown for a placeholder that the vault does not know: the raw one says nothing to a reader.
NEUTRAL = {
    "en": {
        "EMAIL": "[e-mail address]",
        "PHONE": "[phone number]",
        "CARD": "[card number]",
        "BANK": "[account number]",
        "NATIONAL_ID": "[id number]",
        "IP": "[IP address]",
        "PERSON": "[name]",
        "ADDRESS": "[address]",
        "BIRTHDATE": "[date of birth]",
        "SECRET": "[password or code]",
        "PRIVATE": "[private]",
    },
    "zh": {
        "EMAIL": "[电子邮箱]",
        "PHONE": "[电话号码]",
        "CARD": "[卡号]",
        "BANK": "[银行账号]",
        "NATIONAL_ID": "[证件号码]",
        "IP": "[IP 地址]",
        "PERSON": "[姓名]",
        "ADDRESS": "[地址]",
        "BIRTHDATE": "[出生日期]",
        "SECRET": "[密码或验证码]",
        "PRIVATE": "[隐私信息]",
    },
}


def restore(text: str, values: Mapping[str, str], language: str = "en") -> str:
    """Replace every placeholder, once: a value that looks like a placeholder stays a value."""
    words = NEUTRAL["zh" if language.startswith("zh") else "en"]

    def value_of(match: re.Match[str]) -> str:
        return values.get(match[0]) or words.get(match[1], words["PRIVATE"])

    return PLACEHOLDER.sub(value_of, text)


def restore_json(value: Any, values: Mapping[str, str], language: str = "en") -> Any:
    """Restore the texts of a parsed JSON value, such as an event or the data of a card."""
    if isinstance(value, str):
        return restore(value, values, language)
    if isinstance(value, list | tuple):
        return [restore_json(item, values, language) for item in value]
    if isinstance(value, dict):
        return {
            restore(name, values, language): restore_json(item, values, language)
            for name, item in value.items()
        }
    return value


def straighten_json(value: Any, known: Container[str]) -> Any:
    """Bend back placeholders in parsed arguments of a tool: a model writes them as loosely as its text."""
    if isinstance(value, str):
        return straighten(value, known)
    if isinstance(value, list | tuple):
        return [straighten_json(item, known) for item in value]
    if isinstance(value, dict):
        return {name: straighten_json(item, known) for name, item in value.items()}
    return value


def unknown(value: Any, values: Mapping[str, str]) -> set[str]:
    """Return the placeholders in a JSON value that the vault does not know: a tool must not act on them."""
    if isinstance(value, str):
        return {match[0] for match in PLACEHOLDER.finditer(value)} - values.keys()
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        return set().union(*(unknown(item, values) for item in value))
    return set()
