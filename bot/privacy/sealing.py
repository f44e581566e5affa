"""The two keys of a conversation's vault: one seals its values, one digests them for finding them again."""

import hashlib
import hmac

from cryptography.fernet import Fernet

from .placeholders import normalise


class Sealer:
    """Seals and digests under the data key of one conversation, a Fernet key."""

    def __init__(self, data_key: bytes) -> None:
        self._fernet = Fernet(data_key)
        self._digest_key = hmac.digest(data_key, b"frontdesk vault digest", hashlib.sha256)

    def seal(self, value: str) -> bytes:
        return self._fernet.encrypt(value.encode())

    def unseal(self, sealed: bytes | memoryview) -> str:
        return self._fernet.decrypt(bytes(sealed)).decode()

    def digest(self, kind: str, value: str) -> bytes:
        """Tell values apart without saying what they are; spellings of one value share a digest."""
        message = f"{kind}\0{normalise(kind, value)}".encode()
        return hmac.digest(self._digest_key, message, hashlib.sha256)
