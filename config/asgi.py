import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

from config.env import require_servers

http = get_asgi_application()
require_servers()

# Models exist only after Django's set-up.
from bot.web.lifespan import lifespan  # noqa: E402
from bot.web.routing import sockets  # noqa: E402

application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(sockets), "lifespan": lifespan})
