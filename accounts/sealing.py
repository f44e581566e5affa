"""Encryption at rest. Values are sealed with DATA_KEYS, or with a data key that DATA_KEYS wrap."""

import hashlib
import hmac
from functools import cache
from typing import TypeAlias

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

# What a BinaryField may give back, depending on the driver.
Stored: TypeAlias = "bytes | memoryview[int]"


class CannotUnseal(Exception):
    """None of DATA_KEYS opens the value: a key was removed too early, or the value is not ours."""


@cache
def _master() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.DATA_KEYS])


def seal(text: str) -> bytes:
    return _master().encrypt(text.encode())


def unseal(sealed: Stored) -> str:
    try:
        return _master().decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise CannotUnseal("no key in DATA_KEYS opens this value") from None


def opened_by(sealed: Stored) -> int | None:
    """Which of DATA_KEYS opens the value: 0 is the newest; None where none does."""
    for place, key in enumerate(settings.DATA_KEYS):
        try:
            Fernet(key).decrypt(bytes(sealed))
        except InvalidToken:
            continue
        return place
    return None


def resealed(sealed: Stored) -> bytes:
    """The same value, or the same wrapped data key, under the newest of DATA_KEYS."""
    try:
        return _master().rotate(bytes(sealed))
    except InvalidToken:
        raise CannotUnseal("no key in DATA_KEYS opens this value") from None


def key_marks() -> list[str]:
    """What DATA_KEYS may be told apart by, newest first: digests, which say nothing of the keys."""
    return [hashlib.sha256(key.encode()).hexdigest()[:8] for key in settings.DATA_KEYS]


def new_data_key() -> bytes:
    """A fresh data key, wrapped: what is stored beside the rows it seals."""
    return _master().encrypt(Fernet.generate_key())


def open_data_key(wrapped: Stored) -> bytes:
    """The usable data key (a Fernet key) behind a wrapped one."""
    try:
        return _master().decrypt(bytes(wrapped))
    except InvalidToken:
        raise CannotUnseal("no key in DATA_KEYS opens this data key") from None


def fingerprint(purpose: str, value: str) -> str:
    """A keyed digest (32 hex characters) to count or find by, without storing the value."""
    key = f"frontdesk:{purpose}:{settings.SECRET_KEY}".encode()
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]
