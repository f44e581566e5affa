"""How the web process and the workers begin: with keys that open what the database holds, or not at all."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from accounts import keys
from accounts.models import DeploymentKey
from bot import tasks
from bot.web.lifespan import lifespan


async def begun() -> dict[str, Any]:
    """What the server is told when it has asked the application to start."""
    asked: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    await asked.put({"type": "lifespan.startup"})
    running = asyncio.create_task(lifespan({}, asked.get, told.put))
    answer = await told.get()
    await asked.put({"type": "lifespan.shutdown"})
    await running
    return answer


def strange_key() -> None:
    DeploymentKey.objects.update_or_create(purpose="index", defaults={"wrapped": b"of another deployment"})


@pytest.mark.django_db(transaction=True)
async def test_web_begins_only_with_keys_that_open_something() -> None:
    assert await begun() == {"type": "lifespan.startup.complete"}
    await sync_to_async(strange_key)()
    refused = await begun()
    assert refused["type"] == "lifespan.startup.failed"
    assert "DATA_KEYS" in refused["message"]


async def test_web_begins_without_its_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "check", away)
    assert await begun() == {"type": "lifespan.startup.complete"}


def away() -> None:
    raise OperationalError


@pytest.mark.django_db
def test_worker_stops_at_once_with_keys_that_open_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.veil, "engine", lambda: pytest.fail("went on all the same"))
    strange_key()
    with pytest.raises(SystemExit, match="DATA_KEYS"):
        tasks.warm_up(sender=None)
