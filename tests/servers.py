"""A pytest plugin: the engines of production for the tests, started before Django reads its settings."""

import base64
import contextlib
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import pytest

from config.embedded import EmbeddedError, InUse
from config.embedded.servers import servers

ENVIRONMENT = {
    "DEBUG": "1",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "DATA_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "FRONTDESK_DEMO": "1",
    "FRONTDESK_TOOLS": "demo.tools",
    "DEMO_PASSWORD": secrets.token_urlsafe(12),
    "DEMO_IDENTITY_SECRET": secrets.token_urlsafe(32),
}
# What a developer's shell may hold and no test may see.
UNWANTED = (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_MODELS",
    "OFFLINE_MODEL",
    "EMAIL_URL",
    "METRICS_TOKEN",
)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    for name in UNWANTED:
        os.environ.pop(name, None)
    os.environ.update(ENVIRONMENT)
    options = parser.parse_known_args(args)
    if options.help or options.version:
        return
    stack = contextlib.ExitStack()
    early_config.add_cleanup(stack.close)
    try:
        _start(stack)
    except EmbeddedError as problem:
        raise pytest.UsageError(str(problem)) from None


def _start(stack: contextlib.ExitStack) -> None:
    """Run the servers in the tests' own folder, or in a passing one while another run of pytest is in it."""
    var = Path(os.environ.get("FRONTDESK_TEST_VAR", "var/test"))
    try:
        urls = stack.enter_context(servers(var, durable=False))
    except InUse:
        var = Path(tempfile.mkdtemp(prefix="frontdesk-test-"))
        stack.callback(shutil.rmtree, var)
        urls = stack.enter_context(servers(var, durable=False))
    os.environ |= {"FRONTDESK_VAR": str(var), "DATABASE_URL": urls.database, "REDIS_URL": urls.redis}
