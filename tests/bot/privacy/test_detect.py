"""What detection finds, and what it must leave alone, through the real process."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.privacy.engine import Engine
from tests.bot.privacy.doubles import RULES

FOUND = [
    ("Mail me at alice.b+shop@mail.example.co.uk.", [("EMAIL", "alice.b+shop@mail.example.co.uk")]),
    ("我的邮箱是alice@example.com谢谢", [("EMAIL", "alice@example.com")]),
    ("QQ邮箱13812345678@qq.com", [("EMAIL", "13812345678@qq.com")]),
    ("call me at 2125551234", [("PHONE", "2125551234")]),
    ("2125551234 is my phone number", [("PHONE", "2125551234")]),
    ("(212) 555-0123 or +44 20 7946 0958", [("PHONE", "(212) 555-0123"), ("PHONE", "+44 20 7946 0958")]),
    (
        "020 7946 0958, 01 42 68 53 00, 030 123456",
        [("PHONE", "020 7946 0958"), ("PHONE", "01 42 68 53 00"), ("PHONE", "030 123456")],
    ),
    ("我的电话13812345678谢谢", [("PHONE", "13812345678")]),
    ("电话１３８１２３４５６７８", [("PHONE", "１３８１２３４５６７８")]),
    ("座机：010-62345678", [("PHONE", "010-62345678")]),
    ("order 10423, phone 138 1234 5678", [("PHONE", "138 1234 5678")]),
    ("我的订单10423 13812345678", [("PHONE", "13812345678")]),
    ("card 4111 1111 1111 1111", [("CARD", "4111 1111 1111 1111")]),
    ("卡号4111111111111111到期", [("CARD", "4111111111111111")]),
    ("my card number is 4111111111111112", [("CARD", "4111111111111112")]),
    ("Amex 378282246310005", [("CARD", "378282246310005")]),
    ("Hello, my name is John Smith and I live in London.", [("PERSON", "John Smith")]),
    ("my name is yusuf rossi and my zip code is 19122", [("PERSON", "yusuf rossi")]),
    ("cancel order #W2378156 please, Yusuf Rossi", [("PERSON", "Yusuf Rossi")]),
    ("Hi this is Maria Garcia, call 212-555-0123", [("PERSON", "Maria Garcia"), ("PHONE", "212-555-0123")]),
    ("我叫John Smith，想退货", [("PERSON", "John Smith")]),
    ("我叫王小明，想查订单", [("PERSON", "王小明")]),
    ("我叫王小明想查订单", [("PERSON", "王小明")]),
    ("我是李雷", [("PERSON", "李雷")]),
    ("姓名：张三 电话：138-1234-5678", [("PERSON", "张三"), ("PHONE", "138-1234-5678")]),
    ("请张伟先生收货", [("PERSON", "张伟")]),
]

NOTHING = [
    "Where is my order HP-10423?",
    "订单HP-10423到哪了？",
    "Please cancel order #W2378156",
    "exchange item 1008292230 for 9523456873, then 452137894512",
    "订单13812345678在哪",
    "tracking number 9400110200881234567890",
    "order 4111111111111111",
    "shipped 2024-05-12 10:30, on 12.05.2024, total 1,299.00",
    "My Trailhead jacket size XL is broken",
    "I bought the Alpine Explorer tent from Harbor & Pine",
    "PayPal or Klarna?",
    "my name is misspelled on the parcel",
    "我是高级会员",
    "我是高中生，能打折吗",
    "What is your return policy?",
    "<EMAIL_1> wrote to <PERSON_2>",
]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine(call_limit=10)
    engine.start()
    assert engine.wait_ready(60)
    yield engine
    engine.stop()


def found(engine: Engine, text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in engine.detect([text], "en", RULES)[0]]


@pytest.mark.parametrize(("text", "expected"), FOUND)
def test_detect_finds(engine: Engine, text: str, expected: list[tuple[str, str]]) -> None:
    assert found(engine, text) == expected


@pytest.mark.parametrize("text", NOTHING)
def test_detect_leaves_alone(engine: Engine, text: str) -> None:
    assert found(engine, text) == []


ORDERS = st.from_regex(r"HP-\d{5}", fullmatch=True) | st.from_regex(r"#W\d{7}", fullmatch=True)
ITEMS = st.from_regex(r"[1-9]\d{9,11}", fullmatch=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(ORDERS, min_size=5, max_size=5), st.lists(ITEMS, min_size=5, max_size=5))
def test_detect_never_masks_order_and_item_ids(engine: Engine, orders: list[str], items: list[str]) -> None:
    texts = [f"where is {order}?" for order in orders] + [f"我的订单{order}到哪了" for order in orders]
    texts += [f"I want to exchange item {item} please" for item in items] + [
        f"商品{item}有货吗" for item in items
    ]
    assert engine.detect(texts, "en", RULES) == [[] for _ in texts]
