"""Values come back where they belong, and never as a raw placeholder."""

import pytest

from accounts.masking import DEFAULTS
from bot.privacy.memory_vault import MemoryVault
from bot.privacy.policy import Policy
from bot.privacy.restore import restore, restore_json, straighten_json, unknown
from bot.privacy.veil import Veil
from tests.bot.privacy.doubles import RULES, InProcess

VALUES = {"<EMAIL_1>": "alice@example.com", "<PERSON_1>": "Alice <EMAIL_1>"}


def test_restore_puts_values_back() -> None:
    assert restore("Hi <PERSON_1>, mail **<EMAIL_1>**", {**VALUES, "<PERSON_1>": "Alice"}) == (
        "Hi Alice, mail **alice@example.com**"
    )


def test_restore_does_not_look_into_values() -> None:
    assert restore("<PERSON_1>", VALUES) == "Alice <EMAIL_1>"


def test_restore_says_a_neutral_word_when_the_placeholder_is_unknown() -> None:
    assert restore("<EMAIL_9> <PHONE_1> <FOO_1>", VALUES) == "[e-mail address] [phone number] [private]"
    assert restore("<CARD_9>和<PERSON_7>", VALUES, "zh") == "[卡号]和[姓名]"


def test_restore_json_restores_inside_parsed_arguments() -> None:
    arguments = {"to": "<email_1>", "lines": ["for <EMAIL_1>", 3, None], "quote": 'say "EMAIL_1"'}
    assert restore_json(straighten_json(arguments, VALUES), VALUES) == {
        "to": "alice@example.com",
        "lines": ["for alice@example.com", 3, None],
        "quote": 'say "alice@example.com"',
    }


def test_unknown_names_the_placeholders_no_tool_should_get() -> None:
    assert unknown({"a": ["<EMAIL_1>"], "b": "<CARD_4> <PHONE_1>"}, VALUES) == {
        "<CARD_4>",
        "<PHONE_1>",
    }


def test_restore_json_leaves_bent_ones_to_who_wrote_them() -> None:
    assert restore_json({"text": "EMAIL_1"}, VALUES) == {"text": "EMAIL_1"}


@pytest.mark.parametrize("made_up", ["[EMAIL_9]", "{{EMAIL_9}}", "EMAIL_9", "**EMAIL_9**", "<email 9>"])
def test_card_and_approval_show_a_word_for_what_a_model_made_up(made_up: str) -> None:
    veil = Veil(MemoryVault(), InProcess(), "en", Policy(DEFAULTS, RULES))
    arguments = veil.mask_arguments({"to": made_up})
    assert veil.unknown(arguments) == {"<EMAIL_9>"}
    assert veil.unmask_json(arguments)["to"].strip("*") == "[e-mail address]"
