"""How what browsers are told reaches Redis, and how it is read again there."""

from bot.outbox.channel import ATTEMPT_NUMBERS, Channel
from bot.outbox.keys import turn_keys, wire_group
from bot.outbox.log import Kept
from bot.outbox.wire import LOG_SECONDS
from bot.outbox.writer import Outbox, outbox

__all__ = [
    "ATTEMPT_NUMBERS",
    "LOG_SECONDS",
    "Channel",
    "Kept",
    "Outbox",
    "outbox",
    "turn_keys",
    "wire_group",
]
