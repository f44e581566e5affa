import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("frontdesk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["bot"])
app.conf.beat_schedule = {
    "send stranded turns again": {"task": "bot.tasks.rescue_turns", "schedule": 5.0},
    "release expired holds": {"task": "bot.tasks.expire_holds", "schedule": 60.0},
    "expire open approvals": {"task": "bot.tasks.expire_approvals", "schedule": 30.0},
    "say that the worker lives": {"task": "bot.tasks.heartbeat", "schedule": 5.0},
}
