import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

http = get_asgi_application()

import config.celery  # noqa: E402, F401  jobs are sent by name through its app
from bot.web.routing import sockets  # noqa: E402  models exist only after Django's set-up

application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(sockets)})
