"""The make-believe shop that carries the widget."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
    label = "demo"
    verbose_name = "Harbor & Pine (demo shop)"
    default_auto_field = "django.db.models.BigAutoField"
