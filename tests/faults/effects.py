"""What the tests' own tool has done, told by a file."""

from pathlib import Path


def path(folder: Path) -> Path:
    return folder / "effects"


def made(folder: Path) -> list[str]:
    """What was done so far: the customer and the order of each effect."""
    file = path(folder)
    return file.read_text().splitlines() if file.exists() else []


def hold(folder: Path) -> Path:
    """While this file exists a tool that has done its work does not come back."""
    return folder / "hold"
