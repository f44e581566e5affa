"""Bob at the desk, in a process of his own, who reads a line, does it, and answers `ok` or what went wrong.

`take CONVERSATION`, `say CONVERSATION TEXT`, `back CONVERSATION`.
"""

import os
import sys
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import (  # noqa: E402
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
)

from accounts.models import User  # noqa: E402
from bot import queue  # noqa: E402
from bot.desk import handover  # noqa: E402
from bot.desk.handover import HandoverError  # noqa: E402
from bot.errors import BotError  # noqa: E402


def main() -> None:
    bob, _ = User.objects.get_or_create(email="bob@example.com", defaults={"name": "Bob"})
    print("ok", flush=True)
    for line in sys.stdin:
        try:
            _do_again(bob, *line.rstrip("\n").split(" ", 2))
            print("ok", flush=True)
        except (BotError, HandoverError, DatabaseError, InterfaceError) as error:
            print(type(error).__name__, flush=True)
        finally:
            close_old_connections()


def _do_again(bob: User, *said: str) -> None:
    """As a person does who sees an error: what the pool holds may be from before the database's restart."""
    try:
        _do(bob, *said)
    except OperationalError:
        connection.close()
        connection.close_pool()
        _do(bob, *said)


def _do(bob: User, verb: str, conversation: str, text: str = "") -> None:
    match verb:
        case "take":
            handover.take_over(bob, UUID(conversation))
        case "say":
            queue.scrub_message(handover.reply(bob, UUID(conversation), text).pk)
        case "back":
            handover.hand_back(bob, UUID(conversation))


if __name__ == "__main__":
    main()
