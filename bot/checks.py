"""What `manage.py check` looks for beside Django's own checks."""

from typing import Any

from django.core.checks import CheckMessage, Error, register

from bot.privacy import language


@register()
def language_models(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without them a worker answers only from what is prepared, and nothing goes to a model."""
    return [
        Error(
            f"The language model {name} is not installed, and nothing is downloaded at run time.",
            hint="Install what uv.lock names: uv sync --frozen",
            id="bot.E001",
        )
        for name in language.missing()
    ]
