"""Where a turn's events lie in Redis, and where they are published."""

PREFIX = "fd"


def turn_keys(turn: str) -> tuple[str, str]:
    """A turn's counters, and its log."""
    return f"{PREFIX}:turn:{turn}", f"{PREFIX}:turn:{turn}:log"


def wire_group(group: str) -> str:
    """The Redis channel of everybody who listens to `group`. Every message on it is one JSON object."""
    return f"{PREFIX}:group:{group}"
