"""The web process of `make run`: the application on two ports, so that the shop is also on another origin."""

import os
import socket

import uvicorn


def main() -> None:
    port = int(os.environ.get("PORT", "8000"))
    config = uvicorn.Config(
        "config.asgi:application",
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=65_536,
        ws_max_queue=8,
        ws_per_message_deflate=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=3,
    )
    sockets = [socket.create_server(("127.0.0.1", each), backlog=1024) for each in (port, port + 1)]
    uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main()
