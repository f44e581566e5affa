"""Counting tokens."""

import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.llm import counting
from bot.llm.base import ToolSpec
from tests.bot.llm.conftest import a_request


def test_tokens_counts_by_the_models_encoding():
    assert counting.tokens("hello world") == 2
    assert counting.tokens("你好，世界", "gpt-4") > counting.tokens("你好，世界", "gpt-4o")


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("gpt-4o-mini", True),
        ("openai/gpt-4.1", True),
        ("gpt-3.5-turbo", True),
        ("o3", True),
        ("gpt-oss-20b", False),
        ("o1xyz", False),
        ("claude-sonnet-4-5", False),
        ("qwen-max", False),
    ],
)
def test_most_is_exact_where_the_encoding_is_known_and_else_the_bytes(model: str, known: bool):
    text = "1234567890 你好"
    assert counting.most(text, model) == (counting.tokens(text, model) if known else 17)


@given(st.text(), st.sampled_from(["gpt-4", "gpt-4o"]))
def test_no_encoding_counts_more_than_the_bytes(text: str, model: str):
    assert counting.tokens(text, model) <= counting.most(text, "nobody-knows")


def test_most_input_is_no_less_than_what_is_counted():
    spec = ToolSpec("my_orders", "List the customer's orders.", {"type": "object", "properties": {}})
    for model in ("gpt-4o", "nobody-knows"):
        request = replace(a_request("Where is my order?", tools=(spec,)), model=model)
        tally = counting.Tally()
        assert tally.most_input_tokens(request) >= tally.input_tokens(request)


def test_tokens_counts_text_nobody_can_encode():
    assert counting.tokens("\ud83d") > 0


def test_input_tokens_include_messages_tool_calls_and_tools():
    request = a_request("hello world")
    bare = counting.input_tokens(request)
    assert bare == 2 + counting.PER_MESSAGE + counting.PER_REPLY
    spec = ToolSpec("my_orders", "List the customer's orders.", {"type": "object", "properties": {}})
    assert counting.input_tokens(a_request("hello world", tools=(spec,))) > bare + 10


def test_counting_leaves_the_costly_tables_alone():
    script = (
        "import sys; from bot.llm import counting; counting.tokens('hi'); print('bpe_openai' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
