"""The journeys' model endpoint: the demo's stand-in, which keeps what it was sent and stops on command."""

import contextlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

from demo.offline_model import Handler, OfflineServer

FIRST_TOKEN = 0.05  # seconds
PACE = 0.005
LONGEST_HOLD = 40  # seconds
CONTENT = re.compile(r'"content": ("(?:[^"\\]|\\.)*")')


class StandIn:
    """A model at a fixed address that can be away, and that can be held in the middle of an answer."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self._hold_after: int | None = None
        self._said: list[str] = []
        self._held = threading.Event()
        self._released = threading.Event()
        self._server: _Server | None = None
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def received(self) -> str:
        """Everything it was ever sent."""
        return json.dumps(self.bodies, ensure_ascii=False)

    def start(self) -> None:
        self._server = _Server(self, self._port)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Go away, open connections included; requests are refused until the next start."""
        self._released.set()
        if self._server:
            self._server.leave()
        self._server = None

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def holding(self, after: int) -> Iterator[None]:
        """Answers stop after so many pieces of text until this block ends."""
        self._said, self._hold_after = [], after
        self._held.clear()
        self._released.clear()
        try:
            yield
        finally:
            self._hold_after = None
            self._released.set()

    @contextlib.contextmanager
    def slowly(self, pace: float) -> Iterator[None]:
        """So many seconds between two pieces."""
        assert self._server
        self._server.pace = pace
        try:
            yield
        finally:
            self._server.pace = PACE

    def wait_until_held(self) -> str:
        """What it has said until then."""
        assert self._held.wait(LONGEST_HOLD), "the model was not asked"
        return "".join(self._said)

    def piece(self, text: str) -> None:
        if self._hold_after is None:
            return
        self._said.append(text)
        if len(self._said) > self._hold_after:
            self._said.pop()
            self._held.set()
            self._released.wait(LONGEST_HOLD)


class _Handler(Handler):
    server: "_Server"

    def _body(self) -> dict[str, Any] | None:
        body = super()._body()
        if body is not None:
            self.server.model.bodies.append(body)
        return body

    def _send(self, text: str) -> None:
        if content := CONTENT.search(text):
            self.server.model.piece(json.loads(content[1]))
        super()._send(text)


class _Server(OfflineServer):
    def __init__(self, model: StandIn, port: int) -> None:
        super().__init__(("127.0.0.1", port), FIRST_TOKEN, PACE)
        self.RequestHandlerClass = _Handler
        self.model = model
        self._connections: list[socket.socket] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who went away, or we who did: nothing to tell."""

    def leave(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
