"""The sockets of calls, known to their watch from the moment they begin to connect."""

import os
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2
from httpcore2._backends.sync import SyncStream

from bot.llm.watchdog import Watch

_here = threading.local()


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Whatever this thread connects or writes to inside belongs to the call of `watch`."""
    _here.watch = watch
    try:
        yield
    finally:
        _here.watch = None


def install(client: httpx2.Client) -> None:
    """Let every connection of `client` be watched, those through a proxy of the environment, too."""
    # The pools take a backend by a public argument, which the client's transports have no way to pass on.
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx2.HTTPTransport):
            transport._pool._network_backend = WatchedBackend()


class WatchedBackend(httpcore2.SyncBackend):
    """Connects sockets that a watch can shut down meanwhile; looking up the name cannot be ended."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            connection = _connect(host, port, timeout)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(error) from error
        except OSError as error:
            raise httpcore2.ConnectError(error) from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return WatchedStream(SyncStream(connection))


class WatchedStream(httpcore2.NetworkStream):
    """A connection that belongs to whoever writes to it."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner
        self._socket: socket.socket = inner.get_extra_info("socket")
        self._watch: Watch | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._watch:
            self._watch.before_reading()
        return self._inner.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._watch = _guard(self._socket)
        if self._watch:
            self._watch.note_sent()
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        # The handshake takes the socket away from its object; a second one for the same connection stays.
        with socket.socket(fileno=os.dup(self._socket.fileno())) as same:
            _guard(same)
            return WatchedStream(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _connect(host: str, port: int, timeout: float | None) -> socket.socket:
    """A connection to the first address that takes one, as socket.create_connection makes it."""
    failure = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(timeout)
        watch = _guard(connection)
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
            if watch and watch.passed:
                break
        else:
            return connection
    raise failure


def _guard(connection: socket.socket) -> Watch | None:
    watch: Watch | None = getattr(_here, "watch", None)
    if watch:
        watch.guard(connection)
    return watch
