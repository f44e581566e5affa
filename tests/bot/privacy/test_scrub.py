"""Private values leave a text, everything else stays, and typed placeholders pull nothing."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.privacy.engine import Engine
from bot.privacy.errors import ScrubberDown
from bot.privacy.known import Known
from bot.privacy.lookalike import harmless
from bot.privacy.memory_vault import MemoryVault
from bot.privacy.placeholders import PLACEHOLDER, Span
from bot.privacy.restore import restore, restore_json, straighten
from bot.privacy.rules import Rules
from bot.privacy.scrub import scrub, scrub_json
from tests.bot.privacy.doubles import RULES, InProcess

KNOWN = [Known("PERSON", "Alice Miller"), Known("PHONE", "13812345678")]


def scrub_one(text: str, vault: MemoryVault, known: list[Known] = KNOWN) -> str:
    return scrub([text], vault, InProcess(), "en", RULES, known)[0]


def test_scrub_gives_one_value_one_placeholder_across_texts() -> None:
    vault = MemoryVault()
    done = scrub(["a@b.de and c@d.de", "C@D.de by Alice Miller"], vault, InProcess(), "en", RULES, KNOWN)
    assert done == ["<EMAIL_1> and <EMAIL_2>", "<EMAIL_2> by <PERSON_1>"]
    assert vault.values() == {"<EMAIL_1>": "a@b.de", "<EMAIL_2>": "c@d.de", "<PERSON_1>": "Alice Miller"}


def test_scrub_prefers_the_longer_value_of_another_kind() -> None:
    assert scrub_one("Miller@example.com", MemoryVault()) == "<EMAIL_1>"


def test_scrub_raises_when_detection_is_down() -> None:
    with pytest.raises(ScrubberDown):
        scrub(["hello"], MemoryVault(), Engine(), "en", RULES)


@pytest.mark.parametrize(
    "typed",
    [
        "<EMAIL_1>",
        "< email_1 >",
        r"<EMAIL\_1>",
        "EMAIL_1",
        "EMAIL_1>",
        "<EMAIL_1",
        "＜EMAIL_1＞",
        "<PERSON_7>",
        "<FOO_1>",
        "[EMAIL_1]",
        "{{EMAIL_1}}",
        "&lt;EMAIL_1&gt;",
        "<EMAIL 1>",
        "<EMAIL_1's>",
        "<E\u200bMAIL_1>",
        "<<EMAIL_1>EMAIL_1>_1>",
    ],
)
def test_scrub_makes_typed_placeholders_harmless(typed: str) -> None:
    vault = MemoryVault()
    vault.placeholder("EMAIL", "alice@example.com")
    done = scrub_one(f"Send it to {typed} please", vault)
    assert restore(straighten(done, vault.values()), vault.values()) == done
    assert not PLACEHOLDER.search(done)


BENT = st.sampled_from(
    ["<", ">", "EMAIL", "email", "_", "1", "[", "]", "&lt;", " ", "\\\\", "＜", "\u200b", "{"]
)


@given(st.lists(BENT, max_size=14).map("".join))
def test_nothing_typed_becomes_a_placeholder(text: str) -> None:
    done = harmless(text)
    assert not PLACEHOLDER.search(straighten(done, {"<EMAIL_1>": "alice@example.com"}))


def test_scrub_keeps_its_own_placeholders_in_text_scrubbed_before() -> None:
    vault = MemoryVault()
    vault.placeholder("EMAIL", "alice@example.com")
    done = scrub(["<EMAIL_1>, <EMAIL_2>, c@d.de"], vault, InProcess(), "en", RULES, scrubbed=True)
    assert done == ["<EMAIL_1>, ‹EMAIL 2›, <EMAIL_2>"]


def test_scrub_json_walks_everything_with_one_call() -> None:
    vault, engine = MemoryVault(), InProcess()
    value = {
        "id": "HP-10423",
        "to": {"name": "Alice Miller", "mail": ["a@b.de", "x <EMAIL_1>"]},
        "phone": 13812345678,
        "total": 129.5,
        "paid": True,
        "note": None,
        "a@b.de": 3,
    }
    assert scrub_json(value, vault, engine, "en", RULES, KNOWN) == {
        "id": "HP-10423",
        "to": {"name": "<PERSON_1>", "mail": ["<EMAIL_1>", "x ‹EMAIL 1›"]},
        "phone": "<PHONE_1>",
        "total": 129.5,
        "paid": True,
        "note": None,
        "<EMAIL_1>": 3,
    }
    assert len(engine.calls) == 1
    assert "phone: 13812345678" in engine.calls[0]


def test_scrub_json_looks_for_known_values_in_every_key_and_number() -> None:
    known = [*KNOWN, Known("SECRET", "4821")]
    value = {
        "Alice Miller": {"138-1234-5678": 1, "status": "sent"},
        "rows": [{"王小明": 4821}, {"4821": 48.5}],
    }
    known.append(Known("PERSON", "王小明"))
    vault, engine = MemoryVault(), InProcess()
    done = scrub_json(value, vault, engine, "en", RULES, known)
    assert done == {
        "<PERSON_1>": {"<PHONE_1>": 1, "status": "sent"},
        "rows": [{"<PERSON_2>": "<SECRET_1>"}, {"<SECRET_1>": 48.5}],
    }
    assert not {"rows", "status"} & {text for texts in engine.calls for text in texts}


class FindsErik(InProcess):
    """Finds one name, in sentences."""

    def detect(self, texts: Sequence[str], language: str, site: Rules) -> list[list[Span]]:
        return [[Span(0, 8, "PERSON")] if text.startswith("Erik Ash ") else [] for text in texts]


def test_scrub_json_masks_keys_that_hold_what_was_detected_beside_them() -> None:
    value = {"Erik Ash": {"count": 2}, "note": "Erik Ash wrote"}
    done = scrub_json(value, MemoryVault(), FindsErik(), "en", RULES)
    assert done == {"<PERSON_1>": {"count": 2}, "note": "<PERSON_1> wrote"}


WORDS = st.sampled_from(
    [
        "hello",
        "a@b.de",
        "Alice Miller",
        "Alice",
        "x.y@z.org",
        "王小明",
        "13812345678",
        "HP-10423",
        "<b>",
        "您好",
        "\n",
        "_",
        "<",
    ]
)
TEXTS = st.lists(WORDS | st.text(max_size=4), max_size=12).map(" ".join)


@given(TEXTS)
def test_restore_undoes_scrub(text: str) -> None:
    vault = MemoryVault()
    done = scrub_one(text, vault)
    assert "a@b.de" not in done
    assert "Alice Miller" not in done
    if "_" not in text.replace(" _ ", ""):
        assert restore(done, vault.values()) == text


@given(
    st.recursive(
        TEXTS | st.integers() | st.none() | st.booleans(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_restore_json_undoes_scrub_json(value: object) -> None:
    vault = MemoryVault()
    known = [Known("PERSON", "Alice Miller")]
    done = scrub_json(value, vault, InProcess(), "en", RULES, known)
    if "_" not in str(value):
        assert restore_json(done, vault.values()) == value
