"""Wrong settings stop the start and are named."""

import subprocess
import sys

import pytest

GOOD = {
    "SECRET_KEY": "k" * 50,
    "DATA_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "ALLOWED_HOSTS": "desk.example.com",
    "PUBLIC_URL": "https://desk.example.com",
    "DATABASE_URL": "postgresql:///frontdesk",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "FRONTDESK_VAR": "/nonexistent",
}


def start(code: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh process of a production deployment with these settings changed."""
    settings = {name: value for name, value in (GOOD | environment).items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"DJANGO_SETTINGS_MODULE": "config.settings"} | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_starts_with_good_settings_and_its_threads_find_the_queue() -> None:
    code = (
        "import config.asgi, threading\n"
        "from celery import current_app\n"
        "thread = threading.Thread(target=lambda: print(current_app.conf.broker_url))\n"
        "thread.start(); thread.join()"
    )
    done = start(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == GOOD["REDIS_URL"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", "short"),
        ("DATA_KEYS", None),
        ("DATA_KEYS", "not a key"),
        ("ALLOWED_HOSTS", None),
        ("ALLOWED_HOSTS", "*"),
        ("PUBLIC_URL", "http://desk.example.com"),
        ("OPENAI_MODELS", "huge=gpt"),
        ("TURN_DEADLINE", "soon"),
        ("ANSWER_WITHOUT_MODEL", "sometimes"),
        ("EMAIL_URL", "pigeon://coop"),
        ("MESSAGE_MAX_CHARS", "12801"),
    ],
)
def test_settings_refuse_and_name_what_is_wrong(name: str, value: str | None) -> None:
    done = start("import django; django.setup()", **{name: value})
    assert done.returncode != 0
    assert name in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_web_process_refuses_to_serve_without_its_servers(name: str) -> None:
    done = start("import config.asgi", **{name: None})
    assert done.returncode != 0
    assert f"{name} is missing" in done.stderr
