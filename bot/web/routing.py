from django.urls import path

from bot.web.consumers import ChatConsumer
from bot.web.desk_socket import DeskConsumer

sockets = [
    path("ws/chat/<slug:site>/", ChatConsumer.as_asgi()),
    path("ws/desk/", DeskConsumer.as_asgi()),
]
