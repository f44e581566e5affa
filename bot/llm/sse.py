"""Reading server-sent events of a chat completion: one JSON object per data line."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from bot.llm.errors import Malformed

LONGEST_LINE = 1 << 20


def events(chunks: Iterable[bytes]) -> Iterator[dict[str, Any] | None]:
    """Each event as it arrives, None for the closing [DONE]; an unfinished last line is left out.

    Kept apart from the SDK's stream, which drops the connection at [DONE] instead of keeping it for reuse.
    """
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise Malformed("An event has no end")
        for line in lines:
            if line.startswith(b"data:") and (data := line[5:].strip()):
                yield None if data == b"[DONE]" else _parse(data)


def _parse(data: bytes) -> dict[str, Any]:
    try:
        event = json.loads(data.decode())
    except ValueError:  # broken JSON and broken UTF-8 alike
        raise Malformed("An event is not JSON") from None
    if not isinstance(event, dict):
        raise Malformed("An event is not an object")
    return event
