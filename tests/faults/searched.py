"""Everything a running product leaves behind, searched for planted values in all their spellings."""

import base64
import binascii
import codecs
import html
import json
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

import numpy as np
import psycopg
import redis
from psycopg import sql

from tests.faults.planted import Planted

# The shortest spelling there is, a Chinese name of two characters: what is looked for at every place.
WINDOW = 6
CHUNK = 4_000_000
BY_DIGITS = {"PHONE", "CARD", "BANK", "NATIONAL_ID"}

_ID = re.compile(r"[0-9a-f-]{32,36}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_BETWEEN_DIGITS = re.compile(rb"(?<=\d)(?:[\s().\-/_]|%20|\\n){1,3}(?=\d)")
_DIGITS = re.compile(rb"\d{8,}")


@dataclass(frozen=True)
class Leak:
    value: Planted
    place: str
    around: str


def spellings(value: Planted) -> set[bytes]:
    """As written, and as any encoding on the way may write it, in lower case."""
    text = value.text
    written = {text, quote(text), quote_plus(text), html.escape(text), json.dumps(text)[1:-1]}
    return {one.lower().encode() for one in written}


def digits(value: Planted) -> set[bytes]:
    """A number without what stands between its digits, with its country's code and without."""
    number = "".join(char for char in value.text if char.isdigit()).encode()
    return {number, number[1:] if number.startswith(b"1") and len(number) == 11 else b"1" + number}


class Search:
    """Looks for all planted values at once."""

    def __init__(self, values: Iterable[Planted]) -> None:
        self._texts: dict[bytes, list[tuple[bytes, Planted]]] = {}
        self._digits: dict[bytes, Planted] = {}
        for value in set(values):
            for text in spellings(value):
                self._texts.setdefault(text[:WINDOW], []).append((text, value))
            if value.kind in BY_DIGITS:
                self._digits |= dict.fromkeys(digits(value), value)
        starts = (np.frombuffer(text.ljust(8, b"\0"), "<u8")[0] for text in self._texts)
        self._starts = np.array(sorted(starts), "<u8")

    def leaks(self, place: str, data: bytes) -> Iterator[Leak]:
        """Every planted value in `data`, once, also where it is written in base64."""
        for readable in (data, b"\n".join(_decoded(data))):
            lower = readable.lower()
            seen: set[Planted] = set()
            for at, value in (*self._written(lower), *self._numbers(lower)):
                if value not in seen:
                    seen.add(value)
                    around = readable[max(0, at - 60) : at + 60].decode(errors="replace")
                    yield Leak(value, place, around)

    def _written(self, data: bytes) -> Iterator[tuple[int, Planted]]:
        for start in range(0, len(data), CHUNK):
            chunk = np.frombuffer(data[start : start + CHUNK + WINDOW], np.uint8).astype("<u8")
            size = len(chunk) - WINDOW + 1
            if size < 1:
                return
            windows = sum(chunk[at : at + size] << np.uint64(8 * at) for at in range(WINDOW))
            places = np.searchsorted(self._starts, windows)
            hits = self._starts[np.minimum(places, len(self._starts) - 1)] == windows
            for at in np.flatnonzero(hits) + start:
                for text, value in self._texts.get(data[at : at + WINDOW], []):
                    if data.startswith(text, int(at)):
                        yield int(at), value

    def _numbers(self, data: bytes) -> Iterator[tuple[int, Planted]]:
        joined = _BETWEEN_DIGITS.sub(b"", data)
        for match in _DIGITS.finditer(joined):
            if value := self._digits.get(match[0]):
                yield match.start(), value


def _decoded(data: bytes) -> Iterator[bytes]:
    for match in _BASE64.finditer(data):
        run = match[0].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        with suppress(binascii.Error):
            yield base64.b64decode(run[: len(run) // 4 * 4])


class Overheard:
    """All that anybody tells Redis while it listens."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._monitor = self._client.monitor().__enter__()
        self._lines: list[bytes] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with suppress(redis.RedisError, OSError, ValueError, AttributeError):
            while True:
                self._lines.append(self._monitor.connection.read_response(disable_decoding=True))

    def end(self) -> bytes:
        self._monitor.connection.disconnect()
        self._thread.join(5)
        self._client.close()
        return b"\n".join(codecs.escape_decode(line)[0] for line in self._lines)  # type: ignore[attr-defined]


def in_redis(client: "redis.Redis") -> Iterator[tuple[str, bytes]]:
    """Every key with all it holds, whatever its type."""
    for key in client.scan_iter(count=1000):
        name = key.decode(errors="replace")
        yield f"redis {_ID.sub('…', name)}", key + b"\n" + _flat(_held(client, key))


def _held(client: "redis.Redis", key: bytes) -> Any:
    match client.type(key):
        case b"string":
            return client.get(key)
        case b"list":
            return client.lrange(key, 0, -1)
        case b"hash":
            return client.hgetall(key)
        case b"set":
            return client.smembers(key)
        case b"zset":
            return client.zrange(key, 0, -1, withscores=True)
        case b"stream":
            return client.xrange(key)
    return b""


def _flat(held: Any) -> bytes:
    """All the bytes in an answer of Redis, one after the other."""
    if isinstance(held, dict):
        held = [*held.keys(), *held.values()]
    if isinstance(held, list | tuple | set):
        return b"\n".join(_flat(one) for one in held)
    return held if isinstance(held, bytes) else str(held).encode()


def in_tables(url: str) -> Iterator[tuple[str, bytes]]:
    """Every column of every table, as text and as bytes."""
    with psycopg.connect(url) as database:
        names = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in names:
            rows = database.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
            columns = [column.name for column in rows.description or []]
            for name, column in zip(columns, zip(*rows.fetchall(), strict=True), strict=False):
                yield f"{table}.{name}", b"\n".join(_bytes(value) for value in column)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False).encode()
    return str(value).encode()
