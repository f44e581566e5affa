from typing import Any

from django.urls import path

from bot.web.consumers import ChatConsumer
from bot.web.desk_socket import DeskSocket


def _view(consumer: Any) -> Any:
    """Django's `path` takes an ASGI application as well, but its types do not say so."""
    return consumer.as_asgi()


sockets: list[Any] = [
    path("ws/chat/<slug:site>/", _view(ChatConsumer)),
    path("ws/desk/", _view(DeskSocket)),
]
