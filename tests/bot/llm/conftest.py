"""An endpoint, a provider on it, and a way to ask."""

from collections.abc import Callable, Iterator

import pytest

from bot.llm.base import Deadlines, Piece, Request, Settings
from bot.llm.openai_compatible import OpenAICompatible
from tests.upstream import Upstream


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


@pytest.fixture
def provider(upstream: Upstream) -> Iterator[OpenAICompatible]:
    provider = OpenAICompatible(upstream.base_url, "key")
    yield provider
    provider.close()


@pytest.fixture
def ask(provider: OpenAICompatible) -> Callable[..., list[Piece]]:
    def ask(**given: object) -> list[Piece]:
        return list(provider.stream(a_request(**given)))

    return ask


def a_request(text: str = "Where is my order?", **given: object) -> Request:
    """A question; `deadlines` and `settings` as dictionaries."""
    deadlines, settings = Deadlines(**given.pop("deadlines", {})), Settings(**given.pop("settings", {}))
    return Request(
        "small-model", ({"role": "user", "content": text},), settings=settings, deadlines=deadlines, **given
    )
