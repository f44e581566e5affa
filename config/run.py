"""`make run`: the whole product with its demo on this machine, from one terminal."""

import base64
import http.client
import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from config import private
from config.embedded import EmbeddedError, Urls, children
from config.embedded.servers import servers
from config.processes import Processes

PATIENCE = 30.0  # seconds after which we say what is not ready yet
BANNER = """
Frontdesk is ready after {seconds:.0f} s.

  Shop                    http://127.0.0.1:{port}/
  Shop on another origin  http://127.0.0.1:{second_port}/
  Desk                    http://127.0.0.1:{port}/desk/
  Admin                   http://127.0.0.1:{port}/admin/

  Staff sign in as admin@example.com or agent@example.com with the password {password}
  Customers sign in by a button in the shop: alice (Free), carol (Plus), victor (VIP)
  {model}
  Ctrl-C stops everything.
"""
OFFLINE = (
    "An offline stand-in answers; a real model does when OPENAI_API_KEY is set (see docs/quickstart.md)."
)
REAL = "The model at {url} answers."


class CannotRun(Exception):
    """Why the product cannot run here, in one sentence for the person at the terminal."""


def main() -> int:
    """Run the product until it is told to stop.

    1. See that our ports are free. 2. Start the data servers. 3. Prepare the database and the demo.
    4. Start the processes, and say when they are ready. 5. Stop all of it, in order.
    """
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    began = time.monotonic()
    var = Path(os.environ.get("FRONTDESK_VAR") or "var").resolve()
    try:
        port = _port()
        _check_ports(port)
        _say(f"Starting PostgreSQL and Redis with the data in {var}")
        with servers(var) as urls:
            environment = _environment(var, port, urls)
            _prepare(environment)
            _say("Starting the processes")
            return _run(environment, began)
    except (CannotRun, EmbeddedError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _leave(signum: int, _frame: object) -> None:
    sys.exit(128 + signum)


def _say(line: str) -> None:
    print(f"{line} …", flush=True)


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65534:
        raise CannotRun(f"PORT must be a number from 1 to 65533, not {text!r}.")
    return int(text)


def _check_ports(port: int) -> None:
    """Look at the shop's two ports and, after them, the offline model's."""
    for wanted in range(port, port + 3):
        try:
            socket.create_server(("127.0.0.1", wanted)).close()
        except PermissionError:
            raise CannotRun(f"Port {wanted} is only for root: choose others: PORT=8000 make run.") from None
        except OSError:
            raise CannotRun(
                f"Port {wanted} is taken: stop what uses it, or choose others: PORT={port + 100} make run."
            ) from None


def _environment(var: Path, port: int, urls: Urls) -> dict[str, str]:
    """What all our processes are told; what the person has set stands, except what makes it this run."""
    defaults = _secrets(var) | {"PUBLIC_URL": f"http://127.0.0.1:{port}", "FRONTDESK_TOOLS": "demo.tools"}
    environment = defaults | {name: value for name, value in os.environ.items() if value}
    environment |= {
        "DEBUG": "1",
        "FRONTDESK_DEMO": "1",
        "FRONTDESK_VAR": str(var),
        "PORT": str(port),
        "DATABASE_URL": urls.database,
        "REDIS_URL": urls.redis,
        "PYTHONUNBUFFERED": "1",
    }
    if "OPENAI_API_KEY" not in environment:
        environment |= {
            "OFFLINE_MODEL": "1",
            "OPENAI_API_KEY": "offline",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{port + 2}/v1",
            "OPENAI_MODELS": "small=offline-small,large=offline-large,reasoning=offline-reasoning",
            "NO_PROXY": ",".join(filter(None, [environment.get("NO_PROXY"), "127.0.0.1"])),
        }
    return environment


def _secrets(var: Path) -> dict[str, str]:
    """This folder's own secrets, made once: what they seal must stay readable on the next run."""
    path = var / "secrets.json"
    if path.exists():
        return dict(json.loads(path.read_text()))
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DATA_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "DEMO_PASSWORD": secrets.token_urlsafe(9),
        "DEMO_IDENTITY_SECRET": secrets.token_urlsafe(32),
    }
    private.write(path, json.dumps(made, indent=1))
    return made


def _prepare(environment: dict[str, str]) -> None:
    _say("Preparing the database and the demo")
    # In a session of its own, so that Ctrl-C does not tear it: we stop it.
    result = subprocess.run(
        [sys.executable, "manage.py", "prepare_demo"],
        env=environment,
        check=False,
        start_new_session=True,
        preexec_fn=children.follow_parent(signal.SIGTERM),
    )
    if result.returncode:
        raise CannotRun("The database could not be prepared, as told above.")


def _commands(environment: dict[str, str]) -> dict[str, list[str]]:
    celery = ["celery", "--quiet", "--skip-checks", "-A", "config"]
    worker = ["worker", "--pool", "threads", "--concurrency", "16", "--prefetch-multiplier", "1"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]
    schedule = str(Path(environment["FRONTDESK_VAR"]) / "beat-schedule")
    modules = {
        "web": ["demo.serve"],
        "worker": [*celery, *worker],
        "beat": [*celery, "beat", "--schedule", schedule, "--pidfile=", "--loglevel", "WARNING"],
    }
    if "OFFLINE_MODEL" in environment:
        modules["model"] = ["demo.offline_model", "--port", str(int(environment["PORT"]) + 2)]
    # Celery warns that the worker runs as root: on a machine of one's own that may be.
    python = [sys.executable, "-W", "ignore:::celery.platforms", "-m"]
    return {name: [*python, *module] for name, module in modules.items()}


def _run(environment: dict[str, str], began: float) -> int:
    watch = threading.Thread(target=_announce_ready, args=(environment, began), daemon=True)
    processes = Processes(started=watch.start)
    for name, command in _commands(environment).items():
        processes.add_process(name, f"exec {shlex.join(command)}", env=environment)
    processes.run()
    for name, code in processes.died.items():
        raise CannotRun(f"The process {name!r} ended by itself (code {code}), so everything was stopped.")
    return 0


def _announce_ready(environment: dict[str, str], began: float) -> None:
    port = int(environment["PORT"])
    complain_at = time.monotonic() + PATIENCE
    while (missing := _missing(port)) is not None:
        if time.monotonic() > complain_at:
            complain_at = float("inf")
            print(f"Not ready yet after {PATIENCE:.0f} s: {missing}", flush=True)
        time.sleep(0.25)
    offline = "OFFLINE_MODEL" in environment
    text = BANNER.format(
        seconds=time.monotonic() - began,
        port=port,
        second_port=port + 1,
        password=environment["DEMO_PASSWORD"],
        model=OFFLINE if offline else REAL.format(url=environment.get("OPENAI_BASE_URL", "api.openai.com")),
    )
    print(text, flush=True)


def _missing(port: int) -> str | None:
    """What `/health/ready` says is missing; None when nothing is."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("GET", "/health/ready")
        answer = link.getresponse()
        return None if answer.status == 200 else answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"the web process does not answer ({error})"
    finally:
        link.close()


if __name__ == "__main__":
    sys.exit(main())
