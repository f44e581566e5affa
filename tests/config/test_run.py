"""What `make run` says and does before and around the product itself."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config import run
from config.embedded import Urls

ROOT = Path(__file__).parent.parent.parent
URLS = Urls("postgresql:///frontdesk", "redis://127.0.0.1/0")
# Two processes: one dies when a child of the other has made itself known. The other one ends when asked,
# the child does not.
ONE_DIES = """
from config.processes import Processes
processes = Processes(started=lambda: print("all started", flush=True))
processes.add_process("short", "read line <{gate}; exit 3")
processes.add_process("long", "sh -c '{unwilling}' >/dev/null & wait")
processes.run()
print(processes.died, flush=True)
"""
UNWILLING = 'trap "" TERM; echo $$ >{pid}; echo >{gate}; exec sleep 60'


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def try_to_run(var: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "config.run"],
        cwd=ROOT,
        env=os.environ | {"FRONTDESK_VAR": str(var)} | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("offset", [0, 1, 2], ids=["shop", "other origin", "model"])
def test_run_names_the_port_when_it_is_taken(tmp_path: Path, taken_port: int, offset: int) -> None:
    with pytest.raises(run.CannotRun) as refusal:
        run._check_ports(taken_port - offset)
    assert str(refusal.value).startswith(f"Port {taken_port} is taken: stop what uses it, or choose others")


def test_run_ends_with_one_sentence_and_touches_nothing_when_a_port_is_taken(
    tmp_path: Path, taken_port: int
) -> None:
    result = try_to_run(tmp_path / "var", PORT=str(taken_port))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"Port {taken_port} is taken")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("port", ["web", "0", "-1", "65535"])
def test_run_refuses_what_is_no_port(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(run.CannotRun, match="PORT must be a number"):
        run._port()


def test_secrets_are_random_private_and_kept(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first, second, other = (run._secrets(folder) for folder in (tmp_path, tmp_path, tmp_path / "other"))
    assert first == second
    assert not set(first.values()) & set(other.values())
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_environment_takes_the_stand_in_model_only_without_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    offline = run._environment(tmp_path, 9000, URLS)
    assert offline["OFFLINE_MODEL"] == "1"
    assert offline["OPENAI_BASE_URL"] == "http://127.0.0.1:9002/v1"
    assert "model" in run._commands(offline)

    monkeypatch.setenv("OPENAI_API_KEY", "sk-real")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://models.example.com/v1")
    real = run._environment(tmp_path, 9000, URLS)
    assert "OFFLINE_MODEL" not in real
    assert real["OPENAI_BASE_URL"] == "https://models.example.com/v1"
    assert "model" not in run._commands(real)


def test_environment_prefers_what_the_person_has_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", "chosen")
    assert run._environment(tmp_path, 9000, URLS)["DEMO_PASSWORD"] == "chosen"


def test_processes_stop_together_and_leave_nobody_when_one_dies(tmp_path: Path) -> None:
    gate, pid = tmp_path / "gate", tmp_path / "pid"
    os.mkfifo(gate)
    os.mkfifo(pid)
    script = ONE_DIES.format(gate=gate, unwilling=UNWILLING.format(pid=pid, gate=gate))
    running = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    unwilling = psutil.Process(int(pid.read_text()))
    out, _ = running.communicate(timeout=30)
    assert "all started" in out
    assert out.endswith("{'short': 3}\n")
    assert not unwilling.is_running() or unwilling.status() == psutil.STATUS_ZOMBIE
