import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import celeryd_init
from kombu.transport.redis import Transport
from redis.exceptions import ResponseError

from config.env import require_servers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# Redis that is full, read-only or cannot save answers so. That passes, as an outage does; kombu would take it
# for a mistake of ours and end the worker.
Transport.connection_errors = (*Transport.connection_errors, ResponseError)

app = Celery("frontdesk")
# Without this only the importing thread would find the app, and the sockets' threads a nameless one.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")

app.conf.beat_schedule = {
    "scrub what was left unscrubbed": {"task": "bot.tasks.scrub_left", "schedule": 30.0},
    "release expired holds": {"task": "bot.tasks.expire_holds", "schedule": 60.0},
    "look whether a rule is crossed": {"task": "bot.tasks.look_for_alerts", "schedule": 60.0},
    # Once a day, from seven on by the deployment's clocks, of which some differ by quarters of an hour.
    "tell what yesterday has cost": {"task": "bot.tasks.mail_costs", "schedule": crontab(minute="*/15")},
    "check that the ledger agrees": {
        "task": "bot.tasks.check_ledger",
        "schedule": crontab(hour=3, minute=40),
    },
    "expire open approvals": {"task": "bot.tasks.expire_approvals", "schedule": 30.0},
    # Once a day for each site: what is done for the day is not done again, what was missed is made up for.
    "delete what is too old": {"task": "bot.tasks.forget_old", "schedule": crontab(minute=30)},
}


@celeryd_init.connect
def load_tasks(**kwargs: object) -> None:
    """Only workers load the tasks, and with them the language models: beat and web send them by name."""
    require_servers()
    app.loader.import_task_module("bot.tasks")
