"""The language model is most of the work: it reads only what a decision hangs on."""

import pytest

from bot.privacy import rules
from bot.privacy.detect import Seen
from bot.privacy.recognizers.person import Label, PersonRecognizer


def asked(text: str, label: str = "") -> tuple[list[str], list[str]]:
    """What the model was given to read, and the names found, where it calls everything `label`."""
    given: list[str] = []

    def look(read: str) -> list[Label]:
        given.append(read)
        return [(0, len(read), label)] if label else []

    found = PersonRecognizer().analyze(text, ["PERSON"], Seen(rules.of(), look, text, "en"))
    return given, sorted({text[one.start : one.end] for one in found})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("where is my order? I want my money back", []),
        ("My name is Alice Miller.", ["Alice Miller"]),
        ("Why was my card declined at the shop?", []),
    ],
)
def test_model_reads_nothing_when_no_name_hangs_on_it(text: str, names: list[str]) -> None:
    assert asked(text) == asked(text, "PERSON") == asked(text, "NORP") == ([], names)


def test_model_reads_the_sentence_that_hangs_on_it_in_its_place() -> None:
    text = "Hello there. Later on Kowalski refused. Thank you."
    given, found = asked(text, "PERSON")
    assert given == [" " * 13 + "Later on Kowalski refused. " + " " * 10]
    assert found == ["Kowalski"]
    assert asked(text)[1] == []
