"""Bob at his desk: the tests' end of the process in which he works."""

import subprocess
import sys
import threading
from pathlib import Path


class Desk:
    """Does what Bob is told, one thing after the other; his process ends with ours."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._busy = threading.Lock()
        with log.open("a") as errors:
            self._bob = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.faults.staff"],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
            )
        self._answer()

    def take(self, conversation: str) -> str:
        return self._do(f"take {conversation}")

    def say(self, conversation: str, text: str) -> str:
        return self._do(f"say {conversation} {text}")

    def back(self, conversation: str) -> str:
        return self._do(f"back {conversation}")

    def close(self) -> None:
        assert self._bob.stdin
        self._bob.stdin.close()
        self._bob.wait(10)
        assert self._bob.stdout
        self._bob.stdout.close()

    def _do(self, line: str) -> str:
        with self._busy:
            assert self._bob.stdin
            self._bob.stdin.write(f"{line}\n")
            return self._answer()

    def _answer(self) -> str:
        assert self._bob.stdout
        return self._bob.stdout.readline().strip()
