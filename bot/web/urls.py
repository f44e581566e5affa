from django.urls import include, path

from bot.web import chat, health, metrics

urlpatterns = [
    path("widget.js", chat.loader, name="widget-loader"),
    path("widget/<slug:site>/", chat.frame, name="widget-frame"),
    path("desk/", include("bot.web.desk_urls")),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("metrics", metrics.metrics),
]
