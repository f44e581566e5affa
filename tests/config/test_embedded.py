"""The embedded servers, driven as a person does: by running a command with them and by killing it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config import embedded
from config.embedded import redis as embedded_redis

ROOT = Path(__file__).parent.parent.parent
HOLD = "print('ready', flush=True); input()"
# As on a platform whose kernel does not tell the servers that their parent died.
WITHOUT_KERNEL = """
import sys
from config.embedded import __main__, children
children.follow_parent = lambda request: None
sys.exit(__main__.main(sys.argv[1:]))
"""

Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded")


@pytest.fixture
def start(var: Path) -> Iterator[Run]:
    """Run a command with the servers; whatever still runs at the end is stopped."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    started: list[subprocess.Popen[str]] = []

    def run(*command: str, by: tuple[str, ...] = ("-m", "config.embedded"), folder: Path = var):
        process = subprocess.Popen(
            [sys.executable, *by, *command],
            cwd=ROOT,
            env=environment | {"FRONTDESK_VAR": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.communicate(timeout=30)


@pytest.fixture
def hold(start: Run) -> Run:
    """Run the servers until the test writes a line or kills them."""

    def run(**options: object) -> subprocess.Popen[str]:
        process = start(sys.executable, "-c", HOLD, **options)
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        return process

    return run


def servers_in(var: Path) -> list[psutil.Process]:
    folders = {var / "postgres", var / "redis"}
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.info["name"] in ("postgres", "redis-server") and Path(process.cwd()) in folders:
                found.append(process)
        except psutil.NoSuchProcess:
            continue  # gone, or a zombie
    return found


def test_servers_keep_data_and_leave_nothing_when_the_command_ends(var: Path, hold: Run) -> None:
    first = hold()
    urls = embedded.running_urls(var)
    assert urls is not None
    assert (var / "servers.json").stat().st_mode & 0o777 == 0o600
    with psycopg.connect(urls.database) as database:
        database.execute("CREATE TABLE kept (v vector(3))")
        database.execute("INSERT INTO kept VALUES ('[1,2,3]')")
    redis.Redis.from_url(urls.redis).set("kept", "yes")
    first.communicate("\n")
    assert first.returncode == 0
    assert servers_in(var) == []
    assert embedded.running_urls(var) is None

    second = hold()
    urls = embedded.running_urls(var)
    with psycopg.connect(urls.database) as database:
        assert database.execute("SELECT v::text FROM kept").fetchone() == ("[1,2,3]",)
    assert redis.Redis.from_url(urls.redis).get("kept") == b"yes"
    second.communicate("\n")


def test_servers_listen_only_for_those_who_may_read_the_folder(var: Path, hold: Run) -> None:
    running = hold()
    urls = embedded.running_urls(var)
    with psycopg.connect(urls.database) as database:
        assert database.execute("SHOW listen_addresses").fetchone() == ("",)
    password = urls.redis.split("@")[0].removeprefix("redis://:")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(urls.redis.replace(password, "guess")).ping()
    running.communicate("\n")


def test_second_run_says_who_has_the_folder_and_damages_nothing(var: Path, hold: Run, start: Run) -> None:
    first = hold()
    second = start("true")
    out, error = second.communicate(timeout=30)
    assert second.returncode == 1
    assert out == ""
    assert error == (
        f"The data folder {var} is in use by process {first.pid}: "
        "stop that one first, or set FRONTDESK_VAR to another folder.\n"
    )
    with psycopg.connect(embedded.running_urls(var).database) as database:
        assert database.execute("SELECT 1").fetchone() == (1,)
    first.communicate("\n")
    assert first.returncode == 0


@pytest.mark.parametrize("by", [("-m", "config.embedded"), ("-c", WITHOUT_KERNEL)], ids=["told", "orphaned"])
def test_next_start_recovers_when_the_parent_was_killed(var: Path, hold: Run, by: tuple[str, ...]) -> None:
    killed = hold(by=by)
    before = servers_in(var)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert embedded.running_urls(var) is None  # the stale announcement is not believed

    running = hold()
    after = servers_in(var)
    assert after
    assert not {process.pid for process in before} & {process.pid for process in after}
    with psycopg.connect(embedded.running_urls(var).database) as database:
        assert database.execute("SELECT count(*) FROM pg_extension WHERE extname = 'vector'").fetchone() == (
            1,
        )
    running.communicate("\n")
    assert servers_in(var) == []


def test_ctrl_c_leaves_nothing(var: Path, hold: Run) -> None:
    running = hold()
    command = psutil.Process(running.pid).children()
    for process in [running, *(child for child in command if child.name().startswith("python"))]:
        process.send_signal(signal.SIGINT)  # as the terminal does to everything in its group
    running.communicate(timeout=30)
    assert servers_in(var) == []


def test_stale_process_id_of_a_stranger_does_not_stop_the_start(var: Path, hold: Run) -> None:
    stale = var / "postgres" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{var / 'postgres'}\n1\n5432\n\n\n\nready\n")
    hold().communicate("\n")


def test_command_gives_its_exit_code_and_finds_the_urls(start: Run) -> None:
    show = (
        "import os, json; print(json.dumps([os.environ['DATABASE_URL'], os.environ['REDIS_URL']])); exit(7)"
    )
    process = start(sys.executable, "-c", show)
    out, _ = process.communicate(timeout=30)
    database, cache = json.loads(out)
    assert process.returncode == 7
    assert database.startswith("postgresql://")
    assert cache.startswith("redis://")


def test_socket_moves_to_a_short_folder_when_the_path_is_too_long(tmp_path: Path, start: Run) -> None:
    deep = tmp_path / ("deep" * 25)
    process = start(sys.executable, "-c", "import os; print(os.environ['DATABASE_URL'])", folder=deep)
    out, error = process.communicate(timeout=30)
    assert process.returncode == 0, error
    folder = Path(out.strip().split("host=")[1])
    assert len(str(folder)) < 60
    assert not folder.exists()  # taken away again


def test_start_says_what_is_missing_when_there_is_no_redis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_redis.shutil, "which", lambda name: None)
    monkeypatch.setattr(embedded_redis.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        embedded.EmbeddedError, match="install redis-server or valkey-server, or set REDIS_URL"
    ):
        embedded_redis.serve(tmp_path).__enter__()
