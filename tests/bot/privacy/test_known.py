"""Known values are found exactly, also between Chinese characters."""

import pytest

from bot.privacy.known import Known, find

ALICE = [
    Known("PERSON", "Alice Miller"),
    Known("EMAIL", "alice@example.com"),
    Known("PHONE", "+1 (212) 555-0123"),
]


def found(text: str, known: list[Known]) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find(text, known)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i am alice  miller", [("PERSON", "alice  miller")]),
        ("Alice here, ALICE@example.com.", [("PERSON", "Alice"), ("EMAIL", "ALICE@example.com")]),
        ("ask MILLER", [("PERSON", "MILLER")]),
        ("我的邮箱是alice@example.com谢谢", [("EMAIL", "alice@example.com")]),
        ("我是Alice Miller吗", [("PERSON", "Alice Miller")]),
        ("call 1-212-555-0123", [("PHONE", "1-212-555-0123")]),
    ],
)
def test_known_values_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text, ALICE) == expected


@pytest.mark.parametrize(
    "text",
    ["malice and palace", "alice in wonderland", "Millers", "malice@example.com", "alice@example.com.cn"],
)
def test_known_values_are_not_cut_out_of_other_words(text: str) -> None:
    assert found(text, ALICE) == []


def test_known_names_that_are_words_are_left_at_the_start_of_a_sentence() -> None:
    will = [Known("PERSON", "Will Young")]
    assert found("Will you ship it? It is for Will.", will) == [("PERSON", "Will")]


def test_known_chinese_names_need_no_spaces() -> None:
    assert found("请问王小明的订单", [Known("PERSON", "王小明")]) == [("PERSON", "王小明")]


def test_known_empty_values_find_nothing() -> None:
    assert found("a b c", [Known("PERSON", ""), Known("EMAIL", " "), Known("PHONE", "12")]) == []
