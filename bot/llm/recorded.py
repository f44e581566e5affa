"""Telling somebody about every upstream call, before and after, also when it fails or is stopped."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID, uuid4

from bot.llm import counting
from bot.llm.base import Finish, Piece, Pieces, Provider, Request, Text, Usage
from bot.llm.errors import Stopped, UpstreamError

NOTHING_USED = Usage(0, 0, 0, 0, exact=True)
# A call whose reader closed it ends as one that was cancelled: a stop, a take-over, a worker shutting down.
STOPPED = Stopped.kind
UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Call:
    """A call about to be made."""

    id: UUID
    provider: str
    model: str
    request: Request


@dataclass(frozen=True, slots=True)
class CallRecord:
    """A call that is over; `error` is its kind of failure, None when it went well."""

    call: Call
    usage: Usage
    error: str | None
    failure: UpstreamError | None
    seconds: float
    first_token_seconds: float | None


# May give the request as it is to be made instead.
BeforeCall: TypeAlias = Callable[[Call], Request | None]
AfterCall: TypeAlias = Callable[[CallRecord], None]


class Recorded:
    """A provider whose calls are announced, may be refused by an exception or made shorter, and reported."""

    def __init__(self, inner: Provider, name: str, before_call: BeforeCall, after_call: AfterCall) -> None:
        self._inner = inner
        self._name = name
        self._before_call = before_call
        self._after_call = after_call

    def stream(self, request: Request) -> Pieces:
        call = Call(uuid4(), self._name, request.model, request)
        if instead := self._before_call(call):
            call = replace(call, request=instead)
        meter = _Meter(call)
        pieces = self._inner.stream(call.request)
        try:
            for piece in pieces:
                meter.see(piece)
                yield piece
        except UpstreamError as error:
            meter.fail(error)
            raise
        except GeneratorExit:
            meter.stop(pieces)
            raise
        finally:
            pieces.close()
            self._after_call(meter.record())


class _Meter:
    """What one call has shown of itself."""

    def __init__(self, call: Call) -> None:
        self.error: str | None = UNEXPECTED
        self.usage: Usage | None = None
        self._failure: UpstreamError | None = None
        self._call = call
        self._texts: list[str] = []
        self._started = time.monotonic()
        self._first: float | None = None

    def see(self, piece: Piece) -> None:
        if self._first is None:
            self._first = time.monotonic() - self._started
        match piece:
            case Text():
                self._texts.append(piece.text)
            case Usage():
                self.usage = piece
            case Finish():
                self.error = None

    def fail(self, error: UpstreamError) -> None:
        self._failure, self.error, self.usage = error, error.kind, error.usage or NOTHING_USED

    def stop(self, pieces: Pieces) -> None:
        """Its reader has closed it: unless it had ended, let it end now and tell what it has cost."""
        if self.error is None:
            return
        self.error = STOPPED
        try:
            pieces.throw(Stopped("Closed by its reader"))
        except UpstreamError as error:
            self.usage = self.usage or error.usage

    def record(self) -> CallRecord:
        seconds = time.monotonic() - self._started
        usage = self.usage or counting.estimate(self._call.request, "".join(self._texts), seconds)
        return CallRecord(self._call, usage, self.error, self._failure, seconds, self._first)
