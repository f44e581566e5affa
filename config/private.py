"""Small files that only their owner may read."""

import os
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write the file anew, so that it has the owner's permissions from its first byte."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
