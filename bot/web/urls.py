from django.urls import include, path

from bot.web import chat, health, metrics, rights, usage

urlpatterns = [
    path("widget.js", chat.loader, name="widget-loader"),
    path("widget/<slug:site>/", chat.frame, name="widget-frame"),
    path("widget/<slug:site>/usage", usage.mine, name="widget-usage"),
    path("widget/<slug:site>/data", rights.erase_mine, name="widget-data"),
    path("widget/<slug:site>/data.<slug:form>", rights.copy_mine, name="widget-data"),
    path("desk/customers/<uuid:customer_id>/data.<slug:form>", rights.copy_theirs, name="desk-export"),
    path("desk/customers/<uuid:customer_id>/erase", rights.erase_theirs, name="desk-erase"),
    path("desk/", include("bot.web.desk_urls")),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("metrics", metrics.metrics),
]
