"""Counting tokens."""

import subprocess
import sys

from bot.llm import counting
from bot.llm.base import ToolSpec
from tests.bot.llm.conftest import a_request


def test_tokens_counts_by_the_models_encoding():
    assert counting.tokens("hello world") == 2
    assert counting.tokens("你好，世界", "gpt-4") > counting.tokens("你好，世界", "gpt-4o")


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
