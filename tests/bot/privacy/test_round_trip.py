"""There and back: what was scrubbed, streamed in any pieces and restored is what was written."""

from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.privacy.known import Known
from bot.privacy.lookalike import harmless
from bot.privacy.memory_vault import MemoryVault
from bot.privacy.placeholders import KINDS, PLACEHOLDER
from bot.privacy.restore import NEUTRAL, DeltaBuffer, restore, restore_json, straighten
from bot.privacy.scrub import scrub, scrub_json
from tests.bot.privacy.doubles import RULES, InProcess

KNOWN = [Known("PERSON", "Alice Miller"), Known("PERSON", "陈志强"), Known("PRIVATE", "note <EMAIL_1>!")]
VALUES = ["a@b.de", "x.y@example.com", "Alice Miller", "陈志强", "note <EMAIL_1>!"]
MARKUP = [
    "**",
    "`",
    "_",
    "\\",
    "[",
    "](",
    ")",
    "{",
    "}",
    "<",
    ">",
    "&lt;",
    "&gt;",
    "# ",
    "- ",
    "\n",
    "'s",
    "’s",
]
TYPED = [
    *[
        "<EMAIL_1>",
        "EMAIL_1",
        "<email 1>",
        "[EMAIL_1]",
        "{{PERSON_1}}",
        "&lt;EMAIL_1&gt;",
        "＜ＥＭＡＩＬ＿１＞",
    ],
    *[
        "<EMAIL",
        "_1>",
        "EMAIL",
        "NATIONAL_ID_1",
        r"<NATIONAL\_ID\_1>",
        "<FOO_7>",
        "\u200b",
        "IP 1",
        "ID_12345",
    ],
]
WORDS = st.sampled_from([*VALUES, *MARKUP, " ", "您好", "é", "👩‍👩‍👧", "e\u0301", "\u202e", "order HP-10423"])
TEXTS = st.lists(WORDS | st.text(max_size=4), max_size=20).map("".join)
WITH_TYPED = st.lists(WORDS | st.sampled_from(TYPED), max_size=20).map("".join)
PLACES = st.lists(st.integers(0, 400), max_size=12)


def masked(text: str, vault: MemoryVault) -> str:
    return scrub([text], vault, InProcess(), "en", RULES, KNOWN)[0]


def streamed(text: str, places: list[int], vault: MemoryVault) -> list[str]:
    """What the events of a turn carry when the model says this in these pieces."""
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    buffer = DeltaBuffer(vault.names())
    return [buffer.feed(text[a:b]) for a, b in pairwise(edges)] + [buffer.flush()]


def shown(text: str, places: list[int], vault: MemoryVault) -> str:
    """What the customer reads, each event restored by itself."""
    return "".join(restore(piece, vault.values()) for piece in streamed(text, places, vault))


@settings(max_examples=60)
@given(TEXTS, PLACES)
@example("C:\\a@b.de, <a@b.de>, [Alice Miller](mailto:x.y@example.com), {a@b.de}'s", [3, 9, 20])
def test_text_comes_back_as_it_was_written_whatever_the_pieces(text: str, places: list[int]) -> None:
    vault = MemoryVault()
    text = harmless(text, ())
    there = masked(text, vault)
    assert "a@b.de" not in there
    assert shown(there, places, vault) == text


@settings(max_examples=60)
@given(WITH_TYPED, PLACES)
def test_typed_placeholders_never_show_a_value(text: str, places: list[int]) -> None:
    vault = MemoryVault()
    for kind in KINDS:
        vault.placeholder(kind, f"the secret {kind}")
    back = shown(masked(text, vault), places, vault)
    assert "the secret" not in back
    assert not PLACEHOLDER.search(back.replace("note <EMAIL_1>!", ""))
    assert harmless(harmless(text, ()), ()) == harmless(text, ())


@settings(max_examples=60)
@given(
    TEXTS, st.lists(st.sampled_from(["<EMAIL_7>", "<secret_9>", r"<National\_ID\_3>", "<FOO_1>"]), max_size=3)
)
def test_unknown_placeholder_is_a_word_in_text_and_cards(text: str, invented: list[str]) -> None:
    vault = MemoryVault()
    there = masked(text, vault) + " ".join(invented)
    for back in (shown(there, [], vault), restore_json({"t": straighten(there, ())}, vault.values())["t"]):
        assert not PLACEHOLDER.search(back.replace("note <EMAIL_1>!", ""))


@settings(max_examples=60)
@given(
    st.recursive(
        TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    )
)
def test_json_comes_back_as_it_was(value: object) -> None:
    vault = MemoryVault()
    plain = restore_json(scrub_json(value, MemoryVault(), InProcess(), "en", RULES), {})
    there = scrub_json(value, vault, InProcess(), "en", RULES, KNOWN)
    if not PLACEHOLDER.search(str(plain)):
        assert restore_json(there, vault.values()) == scrub_json(value, MemoryVault(), _Blind(), "en", RULES)


def test_every_kind_has_a_word_in_every_language() -> None:
    assert {language: tuple(words) for language, words in NEUTRAL.items()} == {"en": KINDS, "zh": KINDS}


class _Blind(InProcess):
    """Finds nothing, so that only what was typed is made harmless."""

    def detect(self, texts, language, site):  # type: ignore[no-untyped-def]
        return [[] for _ in texts]
