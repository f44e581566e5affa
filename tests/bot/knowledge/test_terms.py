"""What a text says in plain terms."""

import pytest

from bot.knowledge import terms


@pytest.mark.parametrize(
    ("text", "fallback", "expected"),
    [
        ("Where is my order?", "zh", "en"),
        ("我的订单在哪里", "en", "zh"),
        ("我想退 jacket", "en", "zh"),
        ("123", "zh", "zh"),
        ("", "en", "en"),
    ],
)
def test_locale_follows_the_script_whatever_the_page_speaks(text: str, fallback: str, expected: str) -> None:
    assert terms.locale_of(text, fallback) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I return an item?", "returning items"),
        ("Where’s my order", "where are my orders?"),
        ("请问怎么退货？", "可以退货吗"),
        ("What size do I take?", "which sizes to take"),
    ],
)
def test_words_are_the_same_when_only_the_framing_differs(one: str, other: str) -> None:
    assert terms.words(one) == terms.words(other)


def test_words_keep_what_is_asked_about_and_numbers() -> None:
    assert terms.words("Can I send back 2 jackets to Canada?") == ["send", "back", "2", "jacket", "canada"]
    assert terms.words("可以寄到加拿大吗？") == ["寄", "加拿", "拿大"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Can I return it?", 0),
        ("Can't I return it?", 1),
        ("I cannot pay without a card", 2),
        ("dont ship it", 1),
        ("能不能退货", 0),
        ("有没有加急配送", 0),
        ("不好意思，怎么退货", 0),
        ("不能退货吗", 1),
        ("还没收到", 1),
    ],
)
def test_negations_are_counted_and_politeness_is_none(text: str, count: int) -> None:
    assert terms.negations(text) == count


def test_asked_tells_where_from_when() -> None:
    assert terms.asked("Where is my order?") != terms.asked("When is my order coming?")
    assert terms.asked("Can I call you?") != terms.asked("Can you call me?")
    assert terms.asked("订单在哪里") != terms.asked("订单什么时候到")


def test_bare_drops_capitals_and_outer_punctuation_only() -> None:
    assert terms.bare("  Hello,  World!! ") == "hello, world"
    assert terms.bare("怎么退货？") == "怎么退货"
