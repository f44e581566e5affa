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
    ("this is jessica miller calling about my order", [("PERSON", "jessica miller")]),
    ("can you tell michael that sarah connor has it", [("PERSON", "michael"), ("PERSON", "sarah connor")]),
    ("my name is grant farmer.", [("PERSON", "grant farmer")]),
    ("Dear Ms. van den Berg, call Dr. Okonkwo", [("PERSON", "Ms. van den Berg"), ("PERSON", "Dr. Okonkwo")]),
    ("I'm Will, will you help? Grace here.", [("PERSON", "Will"), ("PERSON", "Grace")]),
    ("my husband Declan O'Rourke ordered it", [("PERSON", "Declan O'Rourke")]),
    ("Please cancel it for José Álvarez-García.", [("PERSON", "José Álvarez-García")]),
    ("Many thanks\nPriya Raghunathan", [("PERSON", "Priya Raghunathan")]),
    (
        "Ask Susan Hill, Ovid Larsen or Tom.",
        [("PERSON", name) for name in ("Susan Hill", "Ovid Larsen", "Tom")],
    ),
    ("Fatima's order went to Mr. Young", [("PERSON", "Fatima"), ("PERSON", "Mr. Young")]),
    ("MY NAME IS JOHN SMITH", [("PERSON", "JOHN SMITH")]),
    ("我叫John Smith，想退货", [("PERSON", "John Smith")]),
    ("我叫王小明，想查订单", [("PERSON", "王小明")]),
    ("我叫王小明想查订单", [("PERSON", "王小明")]),
    ("我是李雷", [("PERSON", "李雷")]),
    ("姓名：张三 电话：138-1234-5678", [("PERSON", "张三"), ("PHONE", "138-1234-5678")]),
    ("请张伟先生收货", [("PERSON", "张伟")]),
]

ADDRESSES = [
    (
        "My address is 445 Maple Drive, Suite 394, Fort Worth, TX 76165",
        "445 Maple Drive, Suite 394, Fort Worth, TX 76165",
    ),
    ("I live at 12 old mill road, leeds", "12 old mill road"),
    ("I moved to 17 Elm St Apt 4B last week", "17 Elm St Apt 4B"),
    ("Flat 3, 10 Downing Street, London", "Flat 3, 10 Downing Street"),
    ("221B Baker Street, London NW1 6XE", "221B Baker Street, London NW1 6XE"),
    ("It should go to 7 The Crescent, Bristol BS8 4LD.", "7 The Crescent, Bristol BS8 4LD"),
    ("Deliver to Hauptstraße 5, 10115 Berlin please", "Hauptstraße 5, 10115 Berlin"),
    ("I live at 22 rue de la Paix, 75002 Paris.", "22 rue de la Paix, 75002 Paris"),
    ("wohne Lindenweg 14a in Bonn", "Lindenweg 14a"),
    ("Calle Mayor 12, 3º B, 28013 Madrid", "Calle Mayor 12, 3º B, 28013 Madrid"),
    ("ul. Długa 7, Kraków", "ul. Długa 7"),
    ("P.O. Box 1234, Seattle, WA 98101", "P.O. Box 1234, Seattle, WA 98101"),
    ("PSC 3021, Box 55\nAPO AE 09021", "PSC 3021, Box 55\nAPO AE 09021"),
    ("Address: 14 Avenue Foch\n69006 Lyon\nFrance", "14 Avenue Foch\n69006 Lyon\nFrance"),
    ("Meet me at the corner of Oak Street and 5th Avenue.", "the corner of Oak Street and 5th Avenue"),
    ("he lives at 56 San Telmo 70", "56 San Telmo 70"),
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
    "CAN I SPEAK TO A REAL PERSON?! Is that an assistant, White or Brown?",
    "Does the Emma mattress come in 140 x 200, and the Stella dress in M?",
    "Is the Rose Gold watch back? And the Olive Green coat, or ivory, or hazel?",
    "will the grace period end in may? I paid with my Chase card on April 3rd",
    "We live in Munich, Germany. The courier lost it in Paris, Texas.",
    "Harbor Lane Outfitters Inc. and Coleman Group are fine",
    "My zip code is 12345 and I am from Springfield",
    "Do you ship to 3 countries in Europe? It arrived at 10 AM on 12 May 2024.",
    "iPhone 13, 128 GB, Midnight Black; buy 2 trail road bikes and 3 street shoes",
    "Thanks Frontdesk! Dear Sir or Madam, Dear Customer Service,",
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


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_detect_finds_addresses(engine: Engine, text: str, address: str) -> None:
    assert found(engine, text) == [("ADDRESS", address)]


def test_detect_finds_names_beside_addresses(engine: Engine) -> None:
    text = "ship to Maria Lopez, 100 Main St., Boston MA 02110, or Ivan Petrov\n12 Oak Lane\nLeeds"
    assert found(engine, text) == [
        ("PERSON", "Maria Lopez"),
        ("ADDRESS", "100 Main St., Boston MA 02110"),
        ("PERSON", "Ivan Petrov"),
        ("ADDRESS", "12 Oak Lane"),
    ]


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
