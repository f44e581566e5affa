"""The queue's doors: fetch by id, call one function. Any of them may run twice, or late."""

from uuid import UUID

import structlog
from celery import shared_task
from celery.signals import worker_init, worker_shutdown
from django.utils import timezone

from accounts import quota
from bot import heartbeats, leases, queue, turn
from bot.desk import approvals
from bot.knowledge import embed, ingest
from bot.outbox import outbox
from bot.privacy import veil
from bot.steps import read
from bot.tools import registry

log = structlog.get_logger(__name__)


@worker_init.connect
def warm_up(**kwargs: object) -> None:
    """Load the language models before the first customer waits for them."""
    engine = veil.engine()
    embed.load()
    registry.offered()
    if not engine.wait_ready():
        log.error("scrubber not ready: answers are degraded until it is")


@worker_shutdown.connect
def wind_down(**kwargs: object) -> None:
    heartbeats.stop()
    outbox().flush()
    veil.engine().stop()


@shared_task
def run_turn(turn_id: str) -> None:
    """Work on a turn, then on what the customer has said meanwhile."""
    waiting: UUID | None = UUID(turn_id)
    while waiting:
        waiting = turn.run(waiting)


@shared_task
def rescue_turns() -> None:
    for waiting in leases.waiting(timezone.now()):
        queue.run_turn(waiting)


@shared_task
def scrub_message(message_id: int) -> None:
    read.scrub_one(message_id)


@shared_task
def scrub_left() -> None:
    for message in read.left(timezone.now()):
        queue.scrub_message(message)


@shared_task
def expire_holds() -> None:
    quota.expire()


@shared_task
def expire_approvals() -> None:
    approvals.expire(timezone.now())


@shared_task
def index_article(article_id: int) -> None:
    ingest.index_article(article_id)


@shared_task
def index_canned(reply_id: int) -> None:
    ingest.index_canned(reply_id)


@shared_task(expires=10)
def heartbeat() -> None:
    heartbeats.beat()
