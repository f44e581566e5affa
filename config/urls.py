from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("bot.web.urls")),
    *([path("", include("demo.urls"))] if settings.DEMO else []),
]
