"""The web process of `make run`: the application on two ports, so that the shop is also on another origin."""

import os
import socket

import uvicorn


def main() -> None:
    port = int(os.environ.get("PORT", "8000"))
    config = uvicorn.Config(
        "config.asgi:application",
        lifespan="on",
        proxy_headers=False,  # accounts.identity counts the proxies itself
        ws="websockets-sansio",
        ws_max_size=65_536,
        ws_max_queue=8,
        ws_per_message_deflate=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=3,
    )
    uvicorn.Server(config).run(sockets=[_listen(port), _listen(port + 1)])


def _listen(port: int) -> socket.socket:
    # The protocol is named because asyncio sends small frames at once only where it is.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(1024)
    return listening


if __name__ == "__main__":
    main()
