"""Private PostgreSQL (with pgvector) and Redis for a machine that offers none.

What every process may ask is here, and light; the module `servers` starts them.
"""

import dataclasses
import json
import os
from pathlib import Path


class EmbeddedError(Exception):
    """The servers cannot be had; the text is one sentence for the person at the terminal."""


class InUse(EmbeddedError):
    """Another run holds the data folder."""


@dataclasses.dataclass(frozen=True)
class Urls:
    """Where the database and Redis are."""

    database: str
    redis: str


def announcement(var: Path) -> Path:
    """The file in which a run says where its servers are."""
    return var / "servers.json"


def running_urls(var: Path) -> Urls | None:
    """Tell where the servers of another process, such as `make run`, are; None when none runs."""
    try:
        known = json.loads(announcement(var).read_text())
        os.kill(known["pid"], 0)
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError:
        pass  # alive, under another account
    return Urls(known["database"], known["redis"])
