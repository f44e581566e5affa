"""Who may open a socket at all: the page's origin, and answers to a handshake that is refused."""

from typing import Any
from urllib.parse import urlsplit

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings


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
