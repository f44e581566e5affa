"""Known values are found exactly, also between Chinese characters."""

import pytest

from bot.privacy.known import Index, Known, find

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


@pytest.mark.parametrize(
    ("known", "text", "expected"),
    [
        (
            ("BANK", "DE89 3704 0044 0532 0130 00"),
            "is de89370400440532013000 right",
            "de89370400440532013000",
        ),
        (("NATIONAL_ID", "AB 12 34 56 C"), "my number: AB123456C.", "AB123456C"),
        (("PHONE", "13812345678"), "电话１３８ １２３４ ５６７８", "１３８ １２３４ ５６７８"),
        (("PERSON", "Alice Miller"), "Ａｌｉｃｅ　Ｍｉｌｌｅｒ", "Ａｌｉｃｅ　Ｍｉｌｌｅｒ"),
        (("PRIVATE", "K-77/12"), "about k-77/12, please", "k-77/12"),
        (("BIRTHDATE", "2 May 1990"), "yes, 2 May 1990", "2 May 1990"),
        (("BANK", "12-34-56"), "sort code 12-34-56, yes", "12-34-56"),
        (("NATIONAL_ID", "AB12 C"), "我的证件是ab12 c。", "ab12 c"),
    ],
)
def test_known_values_are_found_however_they_are_written(
    known: tuple[str, str], text: str, expected: str
) -> None:
    assert found(text, [Known(*known)]) == [(known[0], expected)]
    assert found(text, [Known(*known, told=False)]) == [(known[0], expected)]


@pytest.mark.parametrize(
    ("known", "text"),
    [
        (("PERSON", "Will"), "Will you ship it?"),
        (("PERSON", "Rose Field"), "a rose in the field, Rose"),
        (("PERSON", "oak"), "Oak is nice"),
        (("SECRET", "4821"), "order 4821"),
        (("SECRET", "Sesame7"), "sesame7"),
        (("BANK", "12345678"), "AB12345678 and 123456789"),
    ],
)
def test_values_only_detected_before_are_looked_for_strictly(known: tuple[str, str], text: str) -> None:
    assert found(text, [Known(*known, told=False)]) == []


@pytest.mark.parametrize(("kind", "value"), [("PHONE", "4711"), ("PRIVATE", "4711"), ("CARD", "47")])
def test_short_numbers_that_were_told_are_found_as_whole_words(kind: str, value: str) -> None:
    assert found(f"call {value}, or tel:{value}.", [Known(kind, value)]) == [(kind, value)] * 2
    others = f"1{value} a{value} {value}b 3.{value} {value}-05 2026-{value} 10:{value} {value}/2 {value},5"
    assert found(others, [Known(kind, value)]) == []
    assert found(value, [Known(kind, value, told=False)]) == []


def test_yes_and_no_are_no_values_to_look_for() -> None:
    assert found("true or false", [Known("PRIVATE", "true"), Known("PRIVATE", "false", told=False)]) == []


def test_index_takes_what_was_told_for_what_was_detected() -> None:
    index = Index([Known("PERSON", "Alice Miller", told=False)])
    assert index.find("Alice is here") == []
    index.add([Known("PERSON", "Alice Miller")])
    assert len(index.find("Alice is here")) == 1


def test_index_of_many_values_finds_the_one_that_is_there() -> None:
    index = Index(Known("EMAIL", f"customer{number}@example.com", told=False) for number in range(200))
    text = "customer1@example.com, customer10@example.com and customer199@example.com.cn"
    assert [text[span.start : span.end] for span in index.find(text)] == [
        "customer1@example.com",
        "customer10@example.com",
    ]
