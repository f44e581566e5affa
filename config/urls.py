from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from bot.web import inbox

urlpatterns = [
    path("admin/login/", inbox.admin_door),
    path("admin/", admin.site.urls),
    path("", include("bot.web.urls")),
    *([path("", include("demo.urls"))] if settings.DEMO else []),
]
