"""What a question takes, told from its words: each sign alone, in both languages, and where there is none."""

import tomllib
from pathlib import Path

import pytest

from bot.steps import difficulty
from bot.steps.difficulty import Thing
from demo import tools as shop

ORDERS = frozenset({Thing("my_orders", "List the customer's latest orders.", verified=True)})
STOCK = frozenset({Thing("stock_of", "How many there are.", verified=False)})
NOTHING: frozenset[Thing] = frozenset()
LABELLED = Path(__file__).parents[2] / "bench" / "choice_questions.toml"
# What the rules were made with; the last ones are there to be measured.
KNOWN = ("en", "zh", "fresh_en", "fresh_zh")


@pytest.mark.parametrize(
    ("sign", "question"),
    [
        ("wish", "Please think harder: do you ship to Canada?"),
        ("wish", "Do you ship to Canada? Take your time."),
        ("wish", "请认真想想，可以送到加拿大吗？"),
        ("wish", "可以送到加拿大吗？一步一步来"),
        ("steps", "Cancel one and keep the other"),
        ("steps", "取消一个，保留另一个"),
        ("many_steps", "Exchange A for B, refund the rest and send it to the office"),
        ("many_steps", "A换成B，其余退款，发票修改"),
        ("conditions", "Cancel it unless it left"),
        ("conditions", "如果没发就取消"),
        ("sums", "What does all of it come to in total?"),
        ("sums", "一共多少钱？"),
        ("weighs", "Which tent would you recommend?"),
        ("weighs", "推荐哪款帐篷？"),
        ("unhappy", "That is wrong."),
        ("unhappy", "答非所问"),
        ("several", "Do you ship to Canada? What does it cost? How long does it take?"),
        ("several", "能寄到冰岛吗？要多久？多少钱？"),
        ("long", "Do you ship " + "to the north of Canada and " * 8 + "to Alaska?"),
        ("long", "请问你们" + "在加拿大北部和南部" * 8 + "送货吗？"),
        ("language", "¿Enviáis también paquetes hasta Canadá, por favor?"),
        ("language", "Доставляете ли вы в Канаду?"),
        ("language", "カナダに配送できますか"),
    ],
)
def test_sign_is_found_alone(sign: str, question: str) -> None:
    need = difficulty.of(question, NOTHING)
    assert need.signs == (sign,)
    assert need.model_class == ("reasoning" if sign in ("wish", "many_steps") else "large")


@pytest.mark.parametrize(
    "question",
    [
        "Hello!",
        "Do you ship to Canada?",
        "What do I do if a tent leaks in the rain?",
        "How do I wash a down jacket?",
        "I think hard shell jackets are nice",
        "No need to think hard, do you ship to Canada?",
        "What is your return policy?",
        "",
        "<ORDER_1> <EMAIL_2>",
        "你好",
        "可以送到加拿大吗？",
        "羽绒服怎么洗",
        "不用认真想，可以送到加拿大吗？",
    ],
)
def test_simple_question_needs_no_more_than_the_smallest_class(question: str) -> None:
    assert difficulty.of(question, NOTHING) == difficulty.Need()


@pytest.mark.parametrize(
    "question",
    [
        "Where is my order?",
        "HP-10423",
        "Do you ship to <ADDRESS_1>?",
        "It still has not arrived",
        "Any news about the boots?",
        "I want a refund for the broken stove",
        "我的订单到哪了？",
        "查一下10423的物流",
        "夹克穿了两周就破了",
    ],
)
def test_lookup_is_likely_where_something_is_the_customer_s_own(question: str) -> None:
    assert difficulty.of(question, ORDERS).signs == ("tools",)
    # Who has no such tool, or has not signed in, gets what the help pages say.
    assert difficulty.of(question, NOTHING).signs == ()
    assert difficulty.of(question, STOCK).signs == ()


@pytest.mark.parametrize(
    "question", ["How does ordering work?", "Can I order by phone?", "怎么下单？", "Thanks, bye!"]
)
def test_lookup_is_not_likely_where_anybody_might_ask(question: str) -> None:
    assert difficulty.of(question, ORDERS).signs == ()


def test_lookup_is_likely_where_a_tool_is_called_after_it() -> None:
    assert difficulty.of("Is the Ridge tent in stock?", STOCK).signs == ("tools",)
    assert difficulty.of("Is the Ridge tent waterproof?", STOCK).signs == ()


@pytest.mark.parametrize(
    ("question", "model_class"),
    [
        ("Cancel one and keep the other", "large"),
        ("Cancel one and keep the other if the lamp is sold out", "reasoning"),
        ("What does all of it come to in total?", "large"),
        ("What do 3 tents and 4 lamps come to in total?", "reasoning"),
        ("取消一个，保留另一个", "large"),
        ("如果没货就取消一个，保留另一个", "reasoning"),
        ("一共多少钱？", "large"),
        ("三个帐篷四个灯一共多少钱？", "reasoning"),
    ],
)
def test_what_depends_on_something_else_needs_reasoning(question: str, model_class: str) -> None:
    assert difficulty.of(question, NOTHING).model_class == model_class


def test_end_of_a_long_message_is_read() -> None:
    question = "The tent is green. " * 100 + "Think carefully."
    assert difficulty.of(question, NOTHING).signs == ("wish", "long")


def test_signs_keep_their_order_and_come_once() -> None:
    need = difficulty.of("Any news about the boots?", ORDERS).with_signs(["again", "failed", "again"])
    assert need.signs == ("tools", "failed", "again")


@pytest.mark.parametrize("known", KNOWN)
def test_labelled_questions_stay_where_they_belong(known: str) -> None:
    """`python -m tests.bench.choice` tells more."""
    labelled = tomllib.loads(LABELLED.read_text("utf-8"))[known]
    tools = frozenset(Thing(tool.name, tool.description, tool.verified) for tool in shop.TOOLS)
    given = {
        label: [difficulty.of(question, tools).model_class for question in questions]
        for label, questions in labelled.items()
    }
    assert "small" not in given["large"] + given["reasoning"]
    assert given["simple"].count("small") >= 0.9 * len(given["simple"])
