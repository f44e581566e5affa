"""Whatever fails, wherever: the log tells which kind of error and where, and nothing of what it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECRET = "alice.planted@example.com"
# Errors as the product's own modules, its servers and its libraries tell them.
SCRIPT = """
import asyncio, logging, logging.config, threading
import uvicorn, structlog
uvicorn.Config("config.asgi:application").configure_logging()
from config import logs
logging.config.dictConfig(logs.configure(debug=bool({debug})))
from celery.app.trace import log_policy_unexpected as policy

def fail():
    try:
        raise KeyError({secret!r})
    except KeyError:
        raise ValueError("cannot read " + {secret!r} + "\\nfrom what was given")

def tell(how):
    try:
        fail()
    except ValueError as error:
        how(error)

def task(error):
    facts = dict(name="t", id="1", description="raised unexpected", exc=repr(error), traceback=str(error))
    logging.getLogger("celery.app.trace").error(policy.format, facts, exc_info=error, extra=dict(data=facts))

async def forgotten():
    asyncio.get_running_loop().create_future().set_exception(ValueError({secret!r}))

log = logging.getLogger
tell(lambda error: log("uvicorn.error").error("Exception in ASGI application\\n", exc_info=error))
tell(task)
tell(lambda error: log("django.request").error("Internal Server Error: %s", "/x", exc_info=error))
tell(lambda error: log("a.package").error("went wrong: %s", error, exc_info=True))
tell(lambda error: structlog.get_logger("bot.x").exception("turn broke"))
asyncio.run(forgotten())
thread = threading.Thread(target=fail, name="worker-7")
thread.start()
thread.join()
"""
TOLD = (
    *("Exception in ASGI application", "Task t[1] raised unexpected", "Internal Server Error: /x"),
    *("went wrong", "turn broke", "never retrieved", "worker-7"),
)

VISIT = """
import logging, logging.config
import uvicorn
uvicorn.Config("config.asgi:application").configure_logging()
from config import logs
logging.config.dictConfig(logs.configure(debug=bool({debug})))
path = "/desk/?q={secret}"
logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "192.0.2.7:5", "GET", path, "1.1", 200)
logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" [accepted]', "192.0.2.7:5", path)
logging.getLogger("uvicorn.error").warning("told all the same")
"""


@pytest.mark.parametrize("debug", [0, 1])
def test_logs_tell_neither_who_visits_nor_what_they_look_for(debug: int) -> None:
    told = _run(VISIT, debug)
    assert "told all the same" in told
    assert SECRET not in told
    assert "192.0.2.7" not in told


@pytest.mark.parametrize("debug", [0, 1])
def test_logs_tell_kind_and_place_of_an_error_and_not_its_words(debug: int) -> None:
    told = _run(SCRIPT, debug)
    lines = told.splitlines()
    for words in TOLD:
        [line] = [line for line in lines if words in line]
        assert "ValueError at" in line
    assert sum("KeyError at" in line for line in lines) == len(TOLD) - 1
    assert "planted" not in told


def _run(script: str, debug: int) -> str:
    """What a process that runs this prints."""
    ran = subprocess.run(
        [sys.executable, "-c", script.format(secret=SECRET, debug=debug)],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout + ran.stderr
