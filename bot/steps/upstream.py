"""The models of a choice as one provider: made once, watched by breakers, every upstream call charged."""

import threading
from dataclasses import replace
from functools import cache

import redis
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from bot.llm import patience
from bot.llm.base import Pieces, Provider, Request, Settings, Text
from bot.llm.fallback import Fallback, Guards, Target
from bot.llm.openai_compatible import OpenAICompatible
from bot.llm.redis_breakers import RedisBreakers
from bot.llm.redis_places import RedisPlaces
from bot.llm.wire import Capabilities
from bot.models import Model
from bot.steps import choice as choices
from bot.steps.calls import Calls
from bot.steps.ceilings import Ceilings
from bot.steps.choice import Choice

_making = threading.Lock()


class _Announced:
    """A provider whose first text is announced before anybody sees it."""

    def __init__(self, inner: Provider, calls: Calls) -> None:
        self._inner = inner
        self._calls = calls

    def stream(self, request: Request) -> Pieces:
        pieces = self._inner.stream(request)
        try:
            for piece in pieces:
                if isinstance(piece, Text) and self._calls.work.first_text_at is None:
                    self._calls.show()
                yield piece
        finally:
            pieces.close()


def provider(choice: Choice, calls: Calls) -> Provider:
    """The models of a choice, tried in order."""
    targets = [
        Target(
            provider_name=model.provider.name,
            model=model.name,
            provider=_client(model),
            settings=_settings(model, calls.ceilings),
            deadlines=choices.deadlines(model),
            max_streams=model.provider.max_streams,
            thinks=_thinks(model),
        )
        for model in choice.models
    ]
    guarded = Fallback(targets, before_call=calls.before, after_call=calls.after, guards=_guards())
    return _Announced(guarded, calls)


def _thinks(model: Model) -> bool:
    """Whether it may think at length before it says a word: such models mostly take no sampling, either."""
    return model.model_class == "reasoning" or not model.sampling


def _settings(model: Model, ceilings: Ceilings) -> Settings:
    given = choices.settings_of(model)
    return replace(given, max_tokens=ceilings.longest_answer(model.answer_tokens))


def _client(model: Model) -> Provider:
    row = model.provider
    capabilities = Capabilities(
        usage_in_stream=row.usage_in_stream,
        tools=row.tools,
        system_role=row.system_role,
        max_tokens_name=row.max_tokens_name,  # type: ignore[arg-type]
    )
    # One at a time: a worker's first turns come together, and each would make a client of its own.
    with _making:
        return _endpoint(row.base_url, row.key, capabilities)


@cache
def _endpoint(base_url: str, key: str, capabilities: Capabilities) -> OpenAICompatible:
    """One client for each provider and process: it holds the connections."""
    return OpenAICompatible(base_url, key, capabilities)


@cache
def _guards() -> Guards:
    """This process's share in the breakers and places of all, and its budget of retries."""
    # Once more where Redis has closed the connection meanwhile; else this process' own copies do.
    retry = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=retry)
    return Guards(RedisBreakers(client), RedisPlaces(client), pause=_pause)


def _pause(seconds: float, cancelled: threading.Event | None) -> None:
    """Wait for a place or another try with no connection in hand."""
    connection.close()
    patience.pause(seconds, cancelled)
