"""Digests and encryption under keys of the deployment, which outlive a rotation of DATA_KEYS."""

import hashlib
import hmac
from functools import cache

from accounts import sealing
from accounts.models import DeploymentKey


class WrongKeys(Exception):
    """DATA_KEYS are not the ones that this database was written with; nothing private could be read."""

    def __init__(self) -> None:
        super().__init__(
            "DATA_KEYS: none of its keys opens what this database holds."
            " Put back the key that was in use, behind the new one if there is one."
        )


def check() -> None:
    """Raise WrongKeys where this process could read nothing private; costs a look at a few rows."""
    for wrapped in DeploymentKey.objects.values_list("wrapped", flat=True):
        if sealing.opened_by(wrapped) is None:
            raise WrongKeys


@cache
def key(purpose: str) -> bytes:
    """The key for a purpose, a Fernet key; migrations make those in use."""
    DeploymentKey.objects.bulk_create([DeploymentKey(purpose=purpose)], ignore_conflicts=True)
    return sealing.open_data_key(DeploymentKey.objects.values_list("wrapped", flat=True).get(purpose=purpose))


def digest(purpose: str, value: str) -> str:
    """A keyed digest (32 hex characters) to find a value by without storing it."""
    message = f"{purpose}\0{value}".encode()
    return hmac.new(key("index"), message, hashlib.sha256).hexdigest()[:32]
