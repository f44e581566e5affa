from django.apps import AppConfig


class BotConfig(AppConfig):
    name = "bot"

    def ready(self) -> None:
        from bot import checks  # noqa: F401  Django's way to have checks registered
