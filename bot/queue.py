"""Jobs for the workers, by name: who only sends them need not load language models and SDKs."""

from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

RUN_TURN = "bot.tasks.run_turn"
SCRUB_MESSAGE = "bot.tasks.scrub_message"
INDEX_ARTICLE = "bot.tasks.index_article"
INDEX_CANNED = "bot.tasks.index_canned"

log = structlog.get_logger(__name__)


def run_turn(turn: UUID) -> None:
    """When the queue is away the turn waits in the database and is sent again."""
    _send(RUN_TURN, str(turn))


def scrub_message(message: int) -> None:
    """Mask a message that no turn will read; until then the desk says that it is not scrubbed."""
    _send(SCRUB_MESSAGE, message)


def index_article(article: int) -> None:
    _send(INDEX_ARTICLE, article)


def index_canned(reply: int) -> None:
    _send(INDEX_CANNED, reply)


def _send(name: str, argument: int | str) -> None:
    try:
        current_app.send_task(name, [argument])
    except OperationalError as error:
        log.warning("queue away", job=name, argument=argument, error=type(error).__name__)
