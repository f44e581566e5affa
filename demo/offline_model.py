"""A stand-in model behind the OpenAI chat completions interface, so that everything runs without a key.

It reads the prompt, asks for the offered tools and words answers from what they return; it knows nothing
else.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from demo.offline import prompt, reply

MODELS = ("offline-small", "offline-large", "offline-reasoning")
BODY_LIMIT = 8 * 1024 * 1024
PIECE = re.compile(
    r"\s*[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]{1,2}|\s*[^\s\u3400-\u9fff\u3000-\u303f\uff00-\uffef]{1,9}|\s+"
)


class OfflineServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], first_token: float = 0.25, pace: float = 0.02) -> None:
        super().__init__(address, Handler)
        self.first_token = first_token
        self.pace = pace


class Handler(BaseHTTPRequestHandler):
    """Two addresses: the list of models and chat completions."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: OfflineServer

    def do_GET(self) -> None:
        if self.path.partition("?")[0].rstrip("/") != "/v1/models":
            self._refuse(404, f"There is nothing at {self.path}")
            return
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "offline"} for name in MODELS]
        self._json(200, {"object": "list", "data": models})

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path.partition("?")[0].rstrip("/") != "/v1/chat/completions":
            self._refuse(404, f"There is nothing at {self.path}")
            return
        try:
            step = reply.answer(prompt.read(body))
        except prompt.BadRequest as problem:
            self._refuse(400, str(problem))
            return
        completion = Completion(body, step)
        if body.get("stream"):
            self._stream(completion)
        else:
            time.sleep(self.server.first_token + self.server.pace * len(completion.pieces))
            self._json(200, completion.whole())

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not logged: they hold what customers write."""

    def _body(self) -> dict[str, Any] | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BODY_LIMIT:
            self.close_connection = True
            self._refuse(413 if length.isdigit() else 411, "The request needs a body of at most 8 MB")
            return None
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError:
            body = None
        if not isinstance(body, dict):
            self._refuse(400, "The body is not a JSON object")
            return None
        return body

    def _stream(self, completion: Completion) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        wait = self.server.first_token
        try:
            for chunk in completion.chunks():
                if chunk["choices"] and chunk["choices"][0]["delta"]:
                    time.sleep(wait)
                    wait = self.server.pace
                self._send(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n")
            self._send("data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the reader went away, which is how a stopped answer looks

    def _send(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _json(self, status: int, value: dict[str, Any]) -> None:
        data = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, status: int, sentence: str) -> None:
        self._json(status, {"error": {"message": sentence, "type": "invalid_request_error", "code": None}})


class Completion:
    """One answer in the shapes of the interface: whole or in pieces, with its usage."""

    def __init__(self, body: dict[str, Any], step: reply.Say | reply.Ask) -> None:
        self.id = f"chatcmpl-{uuid.uuid4().hex}"
        self.created = int(time.time())
        self.model = str(body.get("model") or MODELS[0])
        self.step = step
        self.call_id = f"call_{uuid.uuid4().hex[:24]}"
        self.counts_in_stream = bool((body.get("stream_options") or {}).get("include_usage"))
        text = step.text if isinstance(step, reply.Say) else json.dumps(step.arguments, ensure_ascii=False)
        pieces = PIECE.findall(text)
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        cut = isinstance(step, reply.Say) and isinstance(limit, int) and len(pieces) > limit
        self.pieces: list[str] = pieces[:limit] if cut else pieces
        self.finish = "tool_calls" if isinstance(step, reply.Ask) else "length" if cut else "stop"
        read = _tokens(json.dumps([body["messages"], body.get("tools") or []], ensure_ascii=False))
        self.usage = {
            "prompt_tokens": read,
            "completion_tokens": len(self.pieces),
            "total_tokens": read + len(self.pieces),
        }

    def whole(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": None}
        if isinstance(self.step, reply.Ask):
            message["tool_calls"] = [self._call("".join(self.pieces))]
        else:
            message["content"] = "".join(self.pieces)
        choice = {"index": 0, "message": message, "finish_reason": self.finish, "logprobs": None}
        return {**self._frame("chat.completion"), "choices": [choice], "usage": self.usage}

    def chunks(self) -> Iterator[dict[str, Any]]:
        if isinstance(self.step, reply.Ask):
            yield self._chunk(
                {"role": "assistant", "content": None, "tool_calls": [{"index": 0, **self._call("")}]}
            )
            for piece in self.pieces:
                yield self._chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        else:
            for at, piece in enumerate(self.pieces):
                yield self._chunk({"content": piece} if at else {"role": "assistant", "content": piece})
        yield self._chunk({}, self.finish)
        if self.counts_in_stream:
            yield {**self._frame("chat.completion.chunk"), "choices": [], "usage": self.usage}

    def _call(self, arguments: str) -> dict[str, Any]:
        name = self.step.tool if isinstance(self.step, reply.Ask) else ""
        return {"id": self.call_id, "type": "function", "function": {"name": name, "arguments": arguments}}

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return {**self._frame("chat.completion.chunk"), "choices": [choice]}

    def _frame(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def _tokens(text: str) -> int:
    """Roughly what a tokenizer counts: a Chinese character each, four of the others together."""
    chinese = len(prompt.CHINESE.findall(text))
    return chinese + (len(text) - chinese) // 4 + 1


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m demo.offline_model", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--first-token", type=float, default=0.25, metavar="SECONDS")
    parser.add_argument("--pace", type=float, default=0.02, metavar="SECONDS_PER_TOKEN")
    options = parser.parse_args()
    try:
        server = OfflineServer((options.host, options.port), options.first_token, options.pace)
    except OSError as problem:
        parser.exit(1, f"The offline model cannot listen on port {options.port}: {problem.strerror}\n")
    with server:
        print(f"The offline model listens on http://{options.host}:{server.server_port}/v1", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
