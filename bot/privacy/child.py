"""The detecting process: reads requests from a socket, answers with places, ends with its parent."""

import contextlib
import gc
import importlib
import os
import signal
import sys
import types
from multiprocessing.connection import Connection

from bot.privacy import rules
from bot.privacy.rules import Rules

PARENT_CHECK = 5.0
OUTWARD = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"})
WARM_UP = (
    "Hello, my name is John Smith, where is order 10423? Write to john@example.com or call (212) 555-0123.",
    "您好，我叫王小明，电话13812345678，我想退货。",
)


def main(handle: int, detector: str) -> None:
    """1. Outlive Ctrl-C, not the parent. 2. Load the detector, offline. 3. Answer until the parent ends."""
    # A worker that is told to stop finishes its turns first, and they need detection until then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent = os.getppid()
    connection = Connection(handle)
    sys.addaudithook(stay_offline)
    detect = load(detector)
    connection.send("ready")
    with contextlib.suppress(EOFError, OSError):
        while True:
            while not connection.poll(PARENT_CHECK):
                if os.getppid() != parent:
                    return
            number, texts, language, site = connection.recv()
            connection.send((number, answer(detect, texts, language, site)))


def stay_offline(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse whatever would leave this machine: some libraries fetch lists and models."""
    if event in OUTWARD:
        raise PermissionError(f"the detecting process has no business with {event}")


def load(detector: str) -> types.FunctionType:
    """Import "module:Class", make one, and read something with it so that nobody waits for that."""
    # spaCy's command line costs 13 MB and a second, and is what could download models.
    for name in ("spacy.cli", "spacy.cli.info"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["spacy.cli.info"].info = None  # type: ignore[attr-defined]
    module, _, name = detector.partition(":")
    detect: types.FunctionType = getattr(importlib.import_module(module), name)().detect
    for text in WARM_UP:
        detect(text, "en", rules.of())
    gc.collect()
    gc.freeze()
    return detect


def answer(
    detect: types.FunctionType, texts: list[str], language: str, site: Rules
) -> list[list[tuple[int, int, str]]] | str:
    """Return plain tuples, or only the name of what went wrong: its words may hold the customer's text."""
    try:
        return [[tuple(span) for span in detect(text, language, site)] for text in texts]
    except Exception as problem:
        return type(problem).__name__


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
