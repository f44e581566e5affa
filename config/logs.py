"""Structured logs: names, numbers and ids, JSON in production; never what anybody wrote.

An error is told by its kind and the places it came through. What it says may be a customer's words, for
drivers, parsers and a site's tools put into their errors what they could not deal with.
"""

import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import structlog

FRAMES = 12  # the last ones of an error's way

EventDict = structlog.typing.EventDict


def _without_words(logger: object, method: str, event: EventDict) -> EventDict:
    """Put an error's kind and places where its words would stand, also in the message that tells of it."""
    given = event.pop("exc_info", None)
    error = sys.exception() if given is True else given[1] if isinstance(given, tuple) else given
    if not isinstance(error, BaseException):
        return event
    message = str(event.get("event", "")).split("\n", 1)[0]
    for words in (repr(error), str(error), str(error).split("\n", 1)[0]):
        if words:
            message = message.replace(words, type(error).__name__)
    event["event"] = message
    event["errors"] = [_told(one) for one in _chain(error)]
    return event


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those it came from, each once."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _told(error: BaseException) -> str:
    way = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(way))
    return f"{type(error).__name__} at {places or 'no known place'}"


def _thread_broke(broken: threading.ExceptHookArgs) -> None:
    """Python would print the error with its words."""
    if broken.exc_type is not SystemExit:
        name = broken.thread.name if broken.thread else ""
        structlog.get_logger(__name__).error("thread broke", thread=name, exc_info=broken.exc_value)


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _without_words,
]


def configure(*, debug: bool) -> dict[str, Any]:
    """Set structlog up and return the dict for Django's LOGGING, so that both write the same lines."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    threading.excepthook = _thread_broke
    renderer = structlog.dev.ConsoleRenderer(colors=False) if debug else structlog.processors.JSONRenderer()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": "INFO"},
        "loggers": {
            "django": {"handlers": []},
            "httpx": {"level": "WARNING"},
            "httpx2": {"level": "WARNING"},
            "openai": {"level": "WARNING"},
            "presidio-analyzer": {"level": "ERROR"},
            # uvicorn has set up handlers of its own, which print errors with their words. Its lines for each
            # visit, which hold the visitor's address and what was looked for, are below this level, too.
            "uvicorn": {"level": "WARNING", "handlers": [], "propagate": True},
            "celery": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
        },
    }
