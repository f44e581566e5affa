"""A wire between the product and one of its servers that can be slow, stuck, cut, or not there."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(eq=False)
class Link:
    """One connection through the wire; `listens` once it has subscribed to something in Redis."""

    client: Streams
    server: Streams
    listens: bool = False
    passing: asyncio.Event = field(default_factory=asyncio.Event)

    def abort(self) -> None:
        for _, writer in (self.client, self.server):
            writer.transport.abort()


class Proxy:
    """Listens on one port of loopback for its whole life; on its own thread and event loop."""

    def __init__(self, connect: Callable[[], Awaitable[Streams]]) -> None:
        self.delay = 0.0  # seconds that everything the product sends is under way
        self.deaf = False
        self._connect = connect
        self._links: set[Link] = set()
        self._frozen: Callable[[Link], bool] | None = None
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.port = 0
        self.accept()

    def accept(self) -> None:
        """Take connections (again)."""
        self._do(self._listen())

    def refuse(self) -> None:
        """Cut all connections and refuse new ones, as a server does that is not there."""
        self._do(self._close())
        self.cut()

    def cut(self, only: Callable[[Link], bool] = lambda link: True) -> None:
        self._do(self._abort(only))

    def freeze(self, only: Callable[[Link], bool] = lambda link: True) -> None:
        """Let nothing through, and lose nothing: a network that went away for a while."""
        self._do(self._freeze(only))

    def thaw(self) -> None:
        self._do(self._freeze(None))

    def deafen(self) -> None:
        """Cut who listens to Redis, and let nobody subscribe; everything else goes on."""
        self.deaf = True
        self.cut(lambda link: link.listens)

    def hear(self) -> None:
        self.deaf = False

    def clear(self) -> None:
        """A good wire again."""
        self.delay, self.deaf = 0.0, False
        self.thaw()
        self.accept()

    def close(self) -> None:
        self.refuse()
        self._do(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port, backlog=1024)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _abort(self, only: Callable[[Link], bool]) -> None:
        for link in list(self._links):
            if only(link):
                link.abort()

    async def _freeze(self, only: Callable[[Link], bool] | None) -> None:
        self._frozen = only
        for link in self._links:
            self._judge(link)

    def _judge(self, link: Link) -> None:
        if self._frozen and self._frozen(link):
            link.passing.clear()
        else:
            link.passing.set()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server = await self._connect()
        except OSError:
            writer.transport.abort()
            return
        link = Link((reader, writer), server)
        self._links.add(link)
        self._judge(link)
        there = asyncio.create_task(self._pump(link, reader, server[1], outward=True))
        back = asyncio.create_task(self._pump(link, server[0], writer, outward=False))
        await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
        self._links.discard(link)
        link.abort()
        link.passing.set()
        await asyncio.wait((there, back))

    async def _pump(
        self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, outward: bool
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                if outward and b"SUBSCRIBE\r\n" in data:
                    link.listens = True
                    self._judge(link)
                    if self.deaf:
                        return
                if outward and self.delay:
                    await asyncio.sleep(self.delay)
                await link.passing.wait()
                writer.write(data)
                await writer.drain()

    async def _finish(self) -> None:
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


def to_port(port: int) -> Proxy:
    return Proxy(lambda: asyncio.open_connection("127.0.0.1", port))


def to_file(path: str) -> Proxy:
    return Proxy(lambda: asyncio.open_unix_connection(path))
