"""A provider for tests that says what it was told to."""

import threading
from collections.abc import Sequence
from typing import TypeAlias

from bot.llm import counting
from bot.llm.base import Finish, Piece, Pieces, Request, Text, ToolRequest, Usage
from bot.llm.errors import Stopped, UpstreamError

# A text, any other piece, an error to raise, or an event to wait for.
Line: TypeAlias = str | Piece | UpstreamError | threading.Event
PATIENCE = 10.0
TICK = 0.02


class Scripted:
    """Gives one scripted reply per request: a text, or lines in order; usage and finish are added."""

    def __init__(self, *replies: str | UpstreamError | Sequence[Line]) -> None:
        self.requests: list[Request] = []
        self.asked = threading.Semaphore(0)  # released for every request
        self.closed_early = 0
        self._replies = [_lines(reply) for reply in replies]

    def add(self, *replies: str | UpstreamError | Sequence[Line]) -> None:
        self._replies += [_lines(reply) for reply in replies]

    def stream(self, request: Request) -> Pieces:
        self.requests.append(request)
        self.asked.release()
        if not self._replies:
            raise AssertionError(f"Asked {len(self.requests)} times, which the script does not foresee")
        try:
            yield from _play(self._replies.pop(0), request)
        except (GeneratorExit, Stopped):
            self.closed_early += 1
            raise


def _lines(reply: str | UpstreamError | Sequence[Line]) -> Sequence[Line]:
    return (reply,) if isinstance(reply, str | UpstreamError) else reply


def _play(lines: Sequence[Line], request: Request) -> Pieces:
    told: list[Piece] = []
    for line in lines:
        match line:
            case str():
                piece: Piece = Text(line)
            case UpstreamError():
                raise line
            case threading.Event():
                _wait(line, request, told)
                continue
            case _:
                piece = line
        told.append(piece)
        yield piece
    if not any(isinstance(piece, Usage) for piece in told):
        yield Usage(10, 0, max(len(told), 1), 0, exact=True)
    if not any(isinstance(piece, Finish) for piece in told):
        yield Finish("tool_calls" if any(isinstance(piece, ToolRequest) for piece in told) else "stop")


def _wait(event: threading.Event, request: Request, told: list[Piece]) -> None:
    """Be silent until the event is set, or the request is cancelled."""
    for _ in range(round(PATIENCE / TICK)):
        if event.wait(TICK):
            return
        if request.is_cancelled:
            said = "".join(piece.text for piece in told if isinstance(piece, Text))
            raise Stopped("Cancelled", usage=counting.estimate(request, said))
    raise AssertionError("The script waited for an event that never came")
