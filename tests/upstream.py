"""A model endpoint on loopback that speaks chat completions and can fail in every way a real one does.

In tests: `with Upstream() as upstream`, then `upstream.script(Reply("Hello"), Reply(status=500))`.
For benchmarks: `python -m tests.upstream --port 9100 --first-token 0.2 --pace 0.02 --tokens 30`.
"""

import argparse
import asyncio
import contextlib
import json
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Self

Fault = Literal[
    "hang", "silence", "cut", "reset", "malformed", "half_utf8", "error_event", "keepalive", "plain"
]
Body = dict[str, Any]


@dataclass
class Reply:
    """One answer. `fault` strikes after `after` content chunks; times are seconds.

    Faults: hang before the response starts; silence, or keepalive comments, for ever; cut, a clean end too
    early; reset, an RST; malformed and half_utf8, an event nobody can read; error_event; plain, an error as
    plain JSON with status 200.
    """

    text: str = "Hello from the model."
    tools: tuple[tuple[str, str], ...] = ()  # (name, arguments as JSON text)
    thoughts: str = ""  # told before the text, in one chunk that counts as content
    finish: str | None = None  # None: what fits
    first_token: float = 0
    pace: float = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: Body | None = None  # the error object of a refusal or of an error event
    fault: Fault | None = None
    after: int = 0
    usage: Body | Literal["counted", "never"] = "counted"
    done: bool = True
    repeat_finish: bool = False
    extra: tuple[Body, ...] = ()  # chunks sent as they are before the finish
    gate: threading.Event | None = None  # holds the reply back after `after` content chunks

    def deltas(self) -> Iterator[Body]:
        if self.thoughts:
            yield {"reasoning_content": self.thoughts}
        for piece in re.findall(r"\s*\S+\s*$|\s*\S+", self.text):
            yield {"content": piece}
        for index, (name, arguments) in enumerate(self.tools):
            half = len(arguments) // 2
            call = {"index": index, "id": f"call_{index}", "type": "function"}
            yield {"tool_calls": [{**call, "function": {"name": name, "arguments": ""}}]}
            for part in (arguments[:half], arguments[half:]):
                yield {"tool_calls": [{"index": index, "function": {"arguments": part}}]}

    def finish_reason(self) -> str:
        return self.finish or ("tool_calls" if self.tools else "stop")


@dataclass
class Received:
    """A request as it came in; `text` is its body, for asserting what must not be in it."""

    path: str
    headers: dict[str, str]
    text: str
    port: int = 0  # the caller's end of the connection

    @property
    def body(self) -> Body:
        return json.loads(self.text)


class Upstream:
    """The server, on its own thread and event loop."""

    def __init__(self, default: Reply | Callable[[Body], Reply] | None = None, port: int = 0) -> None:
        self.default = default or Reply()
        self.models = ["small-model", "large-model"]
        self.requests: list[Received] = []
        self.connections = 0
        self.dropped = threading.Semaphore(0)  # released whenever a client hangs up in mid-answer
        self.arrived = threading.Semaphore(0)  # released for every completion request
        self._replies: deque[Reply] = deque()
        self._port = port
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def completions(self) -> list[Received]:
        return [received for received in self.requests if received.path.endswith("/chat/completions")]

    def script(self, *replies: Reply) -> None:
        """Answer the next requests so, then by `default` again."""
        self._replies.extend(replies)

    def forget(self) -> None:
        """Forget what was scripted, and all requests so far."""
        self._replies.clear()
        self.requests.clear()
        for counted in (self.arrived, self.dropped):
            while counted.acquire(blocking=False):
                pass

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", self._port, backlog=1024)
        self._port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            port = writer.get_extra_info("peername")[1]
            while received := await self._receive(reader, port):
                self.requests.append(received)
                await self._respond(received, reader, writer)
        except ConnectionError:
            self.dropped.release()
        except (_Closed, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _receive(self, reader: asyncio.StreamReader, port: int) -> Received | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        return Received(head[0].split()[1], headers, body.decode(), port)

    async def _respond(
        self, received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if received.path.endswith("/models"):
            names = [{"id": name, "object": "model"} for name in self.models]
            writer.write(_plain(200, {"object": "list", "data": names}))
            return
        reply = self._next(received.body)
        self.arrived.release()
        if reply.status != 200 or reply.fault == "plain":
            error = reply.error or {"message": f"Scripted {reply.status}", "type": "error", "code": None}
            writer.write(_plain(reply.status, {"error": error}, reply.headers))
            return
        await _Answer(reply, received, reader, writer).send()

    def _next(self, body: Body) -> Reply:
        if self._replies:
            return self._replies.popleft()
        return self.default(body) if callable(self.default) else self.default


class _Closed(Exception):
    """We closed the connection, as the script says."""


class _Answer:
    """One streamed answer being sent."""

    def __init__(
        self, reply: Reply, received: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reply, self.received, self.reader, self.writer = reply, received, reader, writer
        self.base = {"id": "c-1", "object": "chat.completion.chunk", "created": int(time.time())}
        self.base["model"] = received.body["model"]

    async def send(self) -> None:
        reply, sent = self.reply, 0
        if reply.fault == "hang":
            await self._wait_for_hang_up()
        self.writer.write(_HEAD)
        await self._pause(reply.first_token)
        self._chunk({"role": "assistant", "content": None if reply.tools else ""})
        for sent, delta in enumerate(reply.deltas()):
            await self._strike(sent)
            if sent:
                await self._pause(reply.pace)
            self._chunk(delta)
            await self.writer.drain()
        await self._strike(sent + 1)
        await self._end()

    async def _end(self) -> None:
        for chunk in self.reply.extra:
            self._event(chunk)
        for _ in range(2 if self.reply.repeat_finish else 1):
            self._chunk({}, self.reply.finish_reason())
        if usage := self._usage():
            self._event({**self.base, "choices": [], "usage": usage})
        if self.reply.done:
            self._raw(b"data: [DONE]\n\n")
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def _usage(self) -> Body | None:
        if isinstance(self.reply.usage, dict):
            return self.reply.usage
        asked = self.received.body.get("stream_options", {}).get("include_usage")
        if self.reply.usage == "never" or not asked:
            return None
        counts = len(self.received.text) // 4, sum(1 for _ in self.reply.deltas())
        return {"prompt_tokens": counts[0], "completion_tokens": counts[1], "total_tokens": sum(counts)}

    async def _strike(self, sent: int) -> None:
        if sent != self.reply.after:
            return
        if self.reply.gate:
            while not self.reply.gate.is_set():
                await self._pause(0.005)
        if self.reply.fault:
            await getattr(self, f"_{self.reply.fault}")()

    async def _silence(self) -> None:
        await self._wait_for_hang_up()

    async def _keepalive(self) -> None:
        while True:
            self._raw(b": still here\n\n")
            await self._pause(0.02)

    async def _cut(self) -> None:
        await self.writer.drain()
        self.writer.write(b"0\r\n\r\n")
        raise _Closed

    async def _reset(self) -> None:
        await self.writer.drain()
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # on, zero seconds: close sends RST
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()
        raise _Closed

    async def _malformed(self) -> None:
        self._raw(b'data: {"choices": [{"delta": {"content": "ha\n\n')

    async def _half_utf8(self) -> None:
        self._raw(b'data: {"choices": [{"index": 0, "delta": {"content": "\xe4\xbd"}}]}\n\n')

    async def _error_event(self) -> None:
        error = self.reply.error or {"message": "Overloaded", "type": "server_error", "code": None}
        self._event({"error": error})

    async def _pause(self, seconds: float) -> None:
        if seconds:
            await asyncio.sleep(seconds)
        if self.reader.at_eof():
            raise ConnectionResetError

    async def _wait_for_hang_up(self) -> None:
        await self.writer.drain()
        await self.reader.read(1)
        raise ConnectionResetError

    def _chunk(self, delta: Body, finish: str | None = None) -> None:
        self._event({**self.base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def _event(self, data: Body) -> None:
        self._raw(f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode())

    def _raw(self, data: bytes) -> None:
        self.writer.write(b"%x\r\n%b\r\n" % (len(data), data))


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _plain(status: int, body: Body, headers: dict[str, str] | None = None) -> bytes:
    data = json.dumps(body).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode() + data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--first-token", type=float, default=0.2)
    parser.add_argument("--pace", type=float, default=0.02)
    parser.add_argument("--tokens", type=int, default=30)
    given = parser.parse_args()
    reply = Reply("word " * given.tokens, first_token=given.first_token, pace=given.pace)
    upstream = Upstream(reply, given.port)
    print(f"Listening on http://127.0.0.1:{given.port}/v1", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(upstream._serve())


if __name__ == "__main__":
    main()
