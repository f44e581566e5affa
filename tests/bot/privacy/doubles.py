"""Detectors that crash, stall or simply work, for the engine to run instead of the heavy one."""

import os
import re
import socket
import time
from collections.abc import Sequence

from bot.privacy import rules
from bot.privacy.placeholders import Span
from bot.privacy.rules import Rules

RULES = rules.of()
EMAIL = re.compile(r"[\w.]+@[\w.]+\w")


class EmailDetector:
    """Finds e-mail addresses; does odd things when a text asks for them."""

    def detect(self, text: str, language: str, site: Rules) -> list[Span]:
        if "stall" in text:
            time.sleep(60)
        if "slow" in text:
            time.sleep(0.4)
        if "crash" in text:
            os._exit(3)
        if "network" in text:
            socket.create_connection(("127.0.0.1", 9), timeout=1)
        if "fail" in text:
            raise ValueError(text)
        return [Span(match.start(), match.end(), "EMAIL") for match in EMAIL.finditer(text)]


class Missing:
    """As a language model does that is not installed."""

    def __init__(self) -> None:
        raise OSError("[E050] Can't find model")


class InProcess:
    """The engine's interface over a detector in this very process; counts the calls."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def detect(self, texts: Sequence[str], language: str, site: Rules) -> list[list[Span]]:
        self.calls.append(list(texts))
        return [EmailDetector().detect(text, language, site) for text in texts]
