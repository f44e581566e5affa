"""Addresses such as postgresql://… and smtp://… turned into Django's settings."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from psycopg.conninfo import conninfo_to_dict

NO_DATABASE = {"ENGINE": "django.db.backends.dummy"}


def database(url: str, pool_size: int) -> dict[str, Any]:
    """Django's settings of one PostgreSQL database; an empty `url` is none, for commands without data."""
    if not url:
        return NO_DATABASE
    parts: dict[str, Any] = conninfo_to_dict(url)
    named = {name: parts.pop(key, "") for name, key in _NAMES.items()}
    pool = {"min_size": 1, "max_size": pool_size, "timeout": 10, "max_idle": 60}
    # Connections live long, so that PostgreSQL can keep its plans: planning is two thirds of its work here.
    prepared = {"server_side_binding": True, "prepare_threshold": 1}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **named,
        "CONN_MAX_AGE": 0,
        "OPTIONS": {**parts, **prepared, "pool": pool},
    }


_NAMES = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}


def email(url: str) -> dict[str, Any]:
    """Django's e-mail settings: `console://`, `smtp://user:password@host:587/?tls=1` or `?ssl=1`."""
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme != "smtp" or not parts.hostname:
        raise SystemExit("EMAIL_URL must look like smtp://user:password@host:587/?tls=1 or console://")
    options = parse_qs(parts.query)
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or 25,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": "tls" in options,
        "EMAIL_USE_SSL": "ssl" in options,
    }
