"""The queue's doors: fetch by id, call one function. Any of them may run twice, or late."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog
from celery import shared_task
from celery.signals import worker_init, worker_shutdown, worker_shutting_down
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from redis.exceptions import RedisError

from accounts import keys, quota
from bot import heartbeats, metrics, queue, rescue, turn
from bot.desk import alerts, approvals, cost_mail, ledger_night
from bot.knowledge import embed, ingest
from bot.outbox import outbox
from bot.privacy import language, veil
from bot.privacy.errors import PrivacyError
from bot.rights import erasure, retention
from bot.steps import read
from bot.tools import registry

log = structlog.get_logger(__name__)


@worker_init.connect
def warm_up(sender: Any, **kwargs: object) -> None:
    """Load the language models before the first customer waits for them; not with keys that open nothing."""
    try:
        keys.check()
    except keys.WrongKeys as error:
        raise SystemExit(f"Frontdesk cannot start:\n  - {error}") from None
    except (DatabaseError, InterfaceError) as error:
        log.warning("keys not checked", error=type(error).__name__)
    for name in language.missing():
        log.error("language model missing: answers are degraded until it is installed", package=name)
    engine = veil.engine()
    embed.load()
    registry.offered()
    if not engine.wait_ready():
        log.error("scrubber not ready: answers are degraded until it is")
    rescue.start(sender.concurrency)


@worker_shutting_down.connect
def leave(**kwargs: object) -> None:
    rescue.leave()


@worker_shutdown.connect
def wind_down(**kwargs: object) -> None:
    rescue.stop()
    with suppress(RedisError):  # Then the last beat grows old by itself.
        heartbeats.stop()
    outbox().flush()
    metrics.leave()
    veil.engine().stop()


@shared_task
def answer_next() -> None:
    if rescue.leaving():
        queue.ticket()
    else:
        turn.run_next()


@shared_task
def scrub_message(message_id: int) -> None:
    try:
        read.scrub_one(message_id)
    except PrivacyError as error:
        # It stays sealed, and beat sends it again.
        log.warning("message not scrubbed", message=message_id, error=type(error).__name__)


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


@shared_task(expires=50)
def look_for_alerts() -> None:
    alerts.look(timezone.now())


@shared_task(expires=600)
def mail_costs() -> None:
    cost_mail.send_due(timezone.now())


@shared_task(expires=6 * 3600)
def check_ledger() -> None:
    ledger_night.look(timezone.now())


@shared_task
def sweep_erased(customer_id: UUID) -> None:
    erasure.finish(customer_id)


@shared_task(expires=1800)
def forget_old() -> None:
    retention.run(timezone.now())


@shared_task
def index_article(article_id: int) -> None:
    ingest.index_article(article_id)


@shared_task
def index_canned(reply_id: int) -> None:
    ingest.index_canned(reply_id)
