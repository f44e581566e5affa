"""Texts turned into vectors."""

import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.knowledge.embed import embed
from bot.models.knowledge import DIMENSIONS


def test_embed_gives_each_text_a_vector_of_unit_length() -> None:
    vectors = embed(["Where is my order?", "", "我的订单在哪里？"])
    assert [len(vector) for vector in vectors] == [DIMENSIONS] * 3
    assert [math.hypot(*vector) for vector in vectors] == pytest.approx([1] * 3, abs=1e-3)
    assert embed([]) == []


def test_embed_gives_the_same_to_all_threads_at_once() -> None:
    texts = ["How do I return something?", "帐篷可以机洗吗", "Do you ship to Canada?"] * 4
    alone = [embed([text])[0] for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: embed([text])[0], texts))
    assert together == [pytest.approx(vector, abs=1e-5) for vector in alone]
