"""A websocket client of the application, without a server between."""

from asgiref.testing import ApplicationCommunicator

from config.asgi import application

SECONDS = 8


class Socket(ApplicationCommunicator):
    """One socket, in this process; everything it awaits is bounded."""

    def __init__(self, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        super().__init__(
            application,
            {
                "type": "websocket",
                "path": path,
                "query_string": b"",
                "headers": headers,
                "subprotocols": [],
                "client": ["127.0.0.1", 50000],
            },
        )

    async def connect(self) -> bool:
        """Open the socket; False when the handshake is refused."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(SECONDS)
        return bool(answer["type"] == "websocket.accept")

    async def send(self, text: str | None = None, binary: bytes | None = None) -> None:
        await self.send_input({"type": "websocket.receive", "text": text, "bytes": binary})

    async def receive(self) -> str:
        output = await self.receive_output(SECONDS)
        assert output["type"] == "websocket.send", output
        return str(output["text"])

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(SECONDS)
