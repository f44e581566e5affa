"""Who may open a socket at all: the page's origin, how many one address may have, how others are refused."""

import ipaddress
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from accounts import identity

# Generous: a whole office may stand behind one address.
SOCKETS_PER_ADDRESS = 400


@dataclass(frozen=True)
class Address:
    """Where a socket comes from; `public` if it is an address of the internet, and not of a network's inside.

    A proxy that nobody has declared makes everybody look like one inside address: those are not counted.
    """

    digest: str
    public: bool

    @classmethod
    def of(cls, scope: Any) -> "Address":
        peer = (scope.get("client") or ("",))[0]
        network = identity.client_network(scope["headers"], peer, settings.TRUSTED_PROXIES)
        try:
            public = ipaddress.ip_network(network).is_global
        except ValueError:
            public = False
        return cls(identity.network_address(scope["headers"], peer, settings.TRUSTED_PROXIES), public)


class Doorway:
    """How many sockets of each address are open in this process."""

    def __init__(self) -> None:
        self._inside: Counter[str] = Counter()

    def enter(self, address: Address) -> bool:
        """Count one more; False when it is one too many. Whoever enters leaves, also when refused."""
        self._inside[address.digest] += 1
        return not address.public or self._inside[address.digest] <= SOCKETS_PER_ADDRESS

    def leave(self, address: Address) -> None:
        self._inside[address.digest] -= 1
        if not self._inside[address.digest]:
            del self._inside[address.digest]


@cache
def doorway() -> Doorway:
    return Doorway()


def header(scope: Any, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def own_origin() -> str:
    parts = urlsplit(settings.PUBLIC_URL)
    return f"{parts.scheme}://{parts.netloc}"


async def refuse(consumer: AsyncWebsocketConsumer, status: int) -> None:
    """Answer a handshake with an HTTP status; servers that cannot say more than no say 403."""
    if "websocket.http.response" not in (consumer.scope.get("extensions") or {}):
        await consumer.close()
        return
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"0")]
    send: Any = consumer.base_send
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})
