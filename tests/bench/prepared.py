"""Gives the site a prepared reply, made searchable."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from accounts.models import Site  # noqa: E402
from bot.knowledge import ingest  # noqa: E402
from bot.models import CannedReply  # noqa: E402

QUESTIONS = ["What are your opening hours?", "When are you open?", "Are you open on Sundays?"]


def main() -> None:
    reply = CannedReply.objects.create(
        site=Site.objects.get(key=sys.argv[1]),
        title="Opening hours",
        questions=QUESTIONS,
        answer="We are open from Monday to Saturday, 9 to 18 o'clock.",
    )
    ingest.index_canned(reply.pk)


if __name__ == "__main__":
    main()
