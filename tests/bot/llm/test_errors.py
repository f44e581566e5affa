"""The table of failures: what the code does, what it says of itself, and what the documentation says."""

import re
from pathlib import Path

import pytest

from bot.llm import errors
from bot.llm.errors import UpstreamError

DOCS = Path(__file__).parents[3] / "docs/models.md"


def kinds() -> dict[str, type[UpstreamError]]:
    found, waiting = {}, [UpstreamError]
    while waiting:
        for one in waiting.pop().__subclasses__():
            found[one.kind] = one
            waiting.append(one)
    return found


def same_again(error: type[UpstreamError]) -> str:
    if error is errors.ContextTooLong:
        return "shorter"
    return "yes" if error.retryable else "no"


def flags(error: type[UpstreamError]) -> list[str]:
    return [same_again(error), "yes" if error.next_model else "no", error.breaker]


def test_docstring_says_what_the_flags_do():
    rows = re.findall(r"^([a-z_]+) +.*?  +(yes|no|shorter) +(yes|no) +([a-z]+)$", errors.__doc__ or "", re.M)
    assert {kind: told for kind, *told in rows} == {kind: flags(error) for kind, error in kinds().items()}


def test_documentation_says_what_the_flags_do():
    rows = re.findall(
        r"^\| `([a-z_]+)` \|.*?\| (yes|no|shorter) \| (yes|no) \| ([a-z]+) \|", DOCS.read_text(), re.M
    )
    assert {kind: told for kind, *told in rows} == {kind: flags(error) for kind, error in kinds().items()}


@pytest.mark.parametrize("error", kinds().values(), ids=str)
def test_what_is_asked_again_may_also_be_asked_elsewhere(error):
    assert error.next_model or not error.retryable
