"""Bent placeholders are bent back, and no piece of a stream ends inside one."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.privacy.placeholders import PLACEHOLDER
from bot.privacy.restore import DeltaBuffer, restore, straighten

KNOWN = {"<EMAIL_1>", "<EMAIL_12>", "<PERSON_2>", "<CARD_1>", "<PHONE_3>", "<NATIONAL_ID_1>", "<IP_1>"}

BENT = [
    ("<email_1>", "<EMAIL_1>"),
    ("< EMAIL_1 >", "<EMAIL_1>"),
    ("EMAIL_1", "<EMAIL_1>"),
    ("EMAIL_1>", "<EMAIL_1>"),
    ("<EMAIL_1", "<EMAIL_1>"),
    (r"<EMAIL\_1>", "<EMAIL_1>"),
    (r"\<EMAIL_1\>", "<EMAIL_1>"),
    ("＜EMAIL_1＞", "<EMAIL_1>"),
    ("**<EMAIL_1>**", "**<EMAIL_1>**"),
    ("您的邮箱EMAIL_1已登记", "您的邮箱<EMAIL_1>已登记"),
    ("mail <EMAIL_12>.", "mail <EMAIL_12>."),
    ("`<EMAIL_1>`", "`<EMAIL_1>`"),
    ("<EMAIL 1>", "<EMAIL_1>"),
    ("<EMAIL-1>", "<EMAIL_1>"),
    ("<EMAIL1>", "<EMAIL_1>"),
    ("&lt;EMAIL_1&gt;", "<EMAIL_1>"),
    ("&#60;EMAIL_1&#62;", "<EMAIL_1>"),
    ("[EMAIL_1]", "<EMAIL_1>"),
    (r"\[EMAIL\_1\]", "<EMAIL_1>"),
    ("[EMAIL_1](mailto:EMAIL_1)", "[<EMAIL_1>](mailto:<EMAIL_1>)"),
    ("{EMAIL_1}", "<EMAIL_1>"),
    ("{{email_1}}", "<EMAIL_1>"),
    ("{{EMAIL_1}", "{<EMAIL_1>"),
    ("【EMAIL_1】", "【<EMAIL_1>】"),
    ("＜ＥＭＡＩＬ＿１＞", "<EMAIL_1>"),
    ("〈EMAIL_1〉", "<EMAIL_1>"),
    ("<EMAIL_1>'s", "<EMAIL_1>'s"),
    ("<EMAIL_1's>", "<EMAIL_1>'s"),
    ("<EMAIL_1’s>", "<EMAIL_1>’s"),
    ("<EMAIL_1>s", "<EMAIL_1>s"),
    ("<EMAIL_1/>", "<EMAIL_1>"),
    ("<\u200bEMAIL\u2060_\ufeff1\u200b>", "<EMAIL_1>"),
    (r"<NATIONAL\_ID\_1>", "<NATIONAL_ID_1>"),
    (r"NATIONAL\_ID\_1", "<NATIONAL_ID_1>"),
    ("<National ID 1>", "<NATIONAL_ID_1>"),
    ("[national_id_1]", "<NATIONAL_ID_1>"),
    ("<email_7>", "<EMAIL_7>"),
]
# A model makes these up: nobody has seen them before, and nobody should see them raw.
UNKNOWN = [
    ("[EMAIL_9]", "<EMAIL_9>"),
    (r"\[national\_id\_9]", "<NATIONAL_ID_9>"),
    ("{{PHONE_3}}", "<PHONE_3>"),
    ("{card_9}", "<CARD_9>"),
    ("<email 9>", "<EMAIL_9>"),
    ("&lt;IP-9&gt;", "<IP_9>"),
    ("EMAIL_9", "<EMAIL_9>"),
    ("**EMAIL_9**", "**<EMAIL_9>**"),
    (r"您的NATIONAL\_ID\_2。", "您的<NATIONAL_ID_2>。"),
    ("PERSON_4's", "<PERSON_4>'s"),
    ("BIRTHDATE_1", "<BIRTHDATE_1>"),
]
LEFT_ALONE = [
    "<EMAIL_2>",
    "email_1",
    "MY_EMAIL_1",
    "EMAIL_1A",
    "<EMAIL_1x>",
    "CARD_402",
    "ADDRESS_2",
    "SECRET_1",
    "a < b",
    "<b>",
    "EMAIL 1",
    "IP 1",
    "IP1",
    "IP-1",
    "[IP 1]",
    "(card 1)",
    "ID_1",
    "ID_12345",
    "national_id_1",
    "‹EMAIL 1›",
    "<h1>",
    "&lt;b&gt;",
    "email_1's",
]

FRAGMENTS = st.sampled_from(
    [
        *[
            "<",
            ">",
            "＜",
            "\\",
            "_",
            "_1",
            "1",
            "2",
            "12",
            "E",
            "P",
            "EMAIL",
            "EMAIL_",
            "EMAIL_1",
            "ERSON",
            "MY_",
        ],
        *[
            "<EMAIL_1>",
            "<PERSON_2>",
            "<email_1",
            "<FOO_3>",
            "<CARD_1",
            "hello",
            "您好",
            "**",
            "`",
            " ",
            "  ",
            "\n",
        ],
        *[
            "&lt;",
            "&gt;",
            "&",
            "l",
            "[",
            "]",
            "(",
            "{",
            "}",
            "NATIONAL",
            "\u200b",
            "-",
            "'s",
            "/",
            "#6",
            "＿",
        ],
        *["[EMAIL_1]", "{CARD_1}", "<NATIONAL ID 1>", "&lt;ip_1&gt;", "＜ＩＰ＿１＞", "<EMAIL-12>"],
        *["[EMAIL_9]", "{{PHONE_8}}", "<email 9>", "NATIONAL_ID_9", "CARD_9", "IP 1", "ID_12345"],
    ]
)
TEXTS = st.lists(FRAGMENTS | st.text(max_size=3), max_size=25).map("".join)


def stream(pieces: list[str]) -> list[str]:
    buffer = DeltaBuffer(KNOWN)
    return [buffer.feed(piece) for piece in pieces] + [buffer.flush()]


def cut(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize(("bent", "straight"), BENT)
def test_straighten_mends_known_placeholders(bent: str, straight: str) -> None:
    assert straighten(bent, KNOWN) == straight


@pytest.mark.parametrize(("made_up", "straight"), UNKNOWN)
def test_unknown_placeholder_is_straightened_and_shown_as_a_word(made_up: str, straight: str) -> None:
    assert straighten(made_up, ()) == straight
    shown = restore("".join(stream([*made_up])), {})
    assert shown == restore(straight, {})
    assert not re.search("[A-Za-z][_ -][0-9]", shown)


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_straighten_leaves_everything_else_alone(text: str) -> None:
    assert straighten(text, KNOWN) == text


@given(TEXTS, st.lists(st.integers(0, 200), max_size=12))
def test_stream_joins_to_the_straightened_text(text: str, places: list[int]) -> None:
    out = stream(cut(text, places))
    whole = "".join(out)
    assert whole == straighten(text, KNOWN)
    ends, end = set(), 0
    for piece in out:
        end += len(piece)
        ends.add(end)
    for match in PLACEHOLDER.finditer(whole):
        assert not ends & set(range(match.start() + 1, match.end()))


@given(TEXTS)
def test_stream_restored_piece_by_piece_equals_the_whole_restored(text: str) -> None:
    values = {placeholder: f"value of {placeholder}" for placeholder in KNOWN}
    pieces = [restore(piece, values) for piece in stream(list(text))]
    assert "".join(pieces) == restore(straighten(text, KNOWN), values)


@given(TEXTS)
def test_stream_holds_back_little(text: str) -> None:
    buffer = DeltaBuffer(KNOWN)
    sent = sum(len(buffer.feed(char)) for char in text)
    assert len(straighten(text, KNOWN)) - sent <= 64


def test_stream_lets_ordinary_text_go_at_once() -> None:
    assert stream(["Your order ", "is on its way", ", and arrives <b>soon"]) == [
        "Your order ",
        "is on its way",
        ", and arrives <b>soon",
        "",
    ]


def test_stream_knows_placeholders_that_came_while_it_ran() -> None:
    known: set[str] = set()
    buffer = DeltaBuffer(known)
    first = buffer.feed("Mail <em")
    known.add("<EMAIL_1>")
    assert first + buffer.feed("ail_1> soon") + buffer.flush() == "Mail <EMAIL_1> soon"
