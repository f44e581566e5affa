"""`python -m config.embedded COMMAND…` runs a command with both servers and passes its exit code on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from config.embedded import EmbeddedError, Urls, children
from config.embedded.servers import servers


def main(command: list[str]) -> int:
    if not command:
        print("usage: python -m config.embedded COMMAND [ARGUMENT…]", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with servers(Path(os.environ.get("FRONTDESK_VAR", "var"))) as urls:
            return _run(command, urls)
    except EmbeddedError as problem:
        print(problem, file=sys.stderr)
        return 1


def _run(command: list[str], urls: Urls) -> int:
    environment = os.environ | {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis}
    process = subprocess.Popen(command, env=environment, preexec_fn=children.follow_parent(signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal asks the command, too: the command decides
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
