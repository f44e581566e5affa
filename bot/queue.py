"""Jobs for the workers, by name: who only sends them need not load language models and SDKs.

A job of the queue `turns` is a ticket: one more turn waits. Which one, the worker finds in the database, so
tickets may be lost or doubled. Everything else is in the queue `chores` and never stands before a turn.
"""

from typing import Any
from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from bot import metrics

TURNS = "turns"
CHORES = "chores"
ANSWER_NEXT = "bot.tasks.answer_next"
SCRUB_MESSAGE = "bot.tasks.scrub_message"
INDEX_ARTICLE = "bot.tasks.index_article"
INDEX_CANNED = "bot.tasks.index_canned"
SWEEP_ERASED = "bot.tasks.sweep_erased"
# By then every worker has noticed that its turn is over, and what its tools were about is done.
SWEEP_AFTER = 300

log = structlog.get_logger(__name__)


def ticket(count: int = 1) -> bool:
    """Call a worker for each of so many turns; False when the queue is away: the rescue calls again."""
    return all(_send(ANSWER_NEXT) for _ in range(count))


def tickets() -> int:
    """Tickets that no worker has taken yet. Raises RedisError."""
    return metrics.client().llen(TURNS)


def scrub_message(message: int) -> None:
    """Mask a message that no turn will read; until then the desk says that it is not scrubbed."""
    _send(SCRUB_MESSAGE, message)


def index_article(article: int) -> None:
    _send(INDEX_ARTICLE, article)


def index_canned(reply: int) -> None:
    _send(INDEX_CANNED, reply)


def sweep_erased(customer: UUID) -> None:
    """Delete, a little later, what late workers have written for an erased customer."""
    _send(SWEEP_ERASED, customer, countdown=SWEEP_AFTER)


def _send(name: str, *arguments: int | UUID, **options: Any) -> bool:
    try:
        current_app.send_task(name, [*arguments], **options)
    except OperationalError as error:
        log.warning("queue away", job=name, arguments=arguments, error=type(error).__name__)
        return False
    return True
