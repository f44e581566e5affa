"""The stand-in model over real HTTP, through the SDK that every provider is asked with."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from demo import content
from demo.offline_model import OfflineServer

TOOLS = ("search_knowledge", "ask_for_human", "my_orders", "order_status", "cancel_order")
ANONYMOUS_TOOLS = TOOLS[:2]
SHIPPED = {
    "number": "HP-10423",
    "status": "shipped",
    "placed_on": "2026-11-19",
    "eta": "2026-11-24",
    "items": [{"title": "Granite Mid boots", "quantity": 1, "price": "179.00"}],
    "recipient": "<PERSON_1>",
}
PROCESSING = {"number": "HP-10431", "status": "processing", "eta": "2026-11-27", "items": []}
DELIVERED = {"number": "HP-10388", "status": "delivered", "delivered_on": "2026-11-10", "items": []}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with OfflineServer(("127.0.0.1", 0), first_token=0, pace=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="none", base_url=address, max_retries=0) as client:
        yield client


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": text}


def used(tool: str, result: dict[str, Any], **arguments: str) -> list[dict[str, Any]]:
    """A tool call and its result, as a prompt holds them."""
    call = {"id": f"call_{tool}", "type": "function"}
    call["function"] = {"name": tool, "arguments": json.dumps(arguments)}
    result_text = json.dumps(result, ensure_ascii=False)
    return [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": f"call_{tool}", "content": result_text},
    ]


def ask(client: openai.OpenAI, *messages: dict[str, Any], tools: tuple[str, ...] = TOOLS) -> Any:
    offered = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in tools]
    extra: dict[str, Any] = {"tools": offered} if offered else {}
    answer = client.chat.completions.create(model="offline-small", messages=list(messages), **extra)
    return answer.choices[0].message


def wanted(message: Any) -> tuple[str, dict[str, str]]:
    (call,) = message.tool_calls
    return call.function.name, json.loads(call.function.arguments)


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [
        "offline-small",
        "offline-large",
        "offline-reasoning",
    ]


def test_stream_comes_in_small_pieces_and_ends_with_usage(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="offline-small",
            messages=[{"role": "user", "content": "你好"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(pieces).startswith("您好")
    assert max(map(len, pieces)) <= 9
    assert len(pieces) > 10
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    usage = chunks[-1].usage
    assert usage is not None
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > usage.completion_tokens > 10


def test_streamed_tool_call_joins_to_json(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="offline-small",
        messages=[{"role": "user", "content": "Where is HP-10423?"}],
        tools=[{"type": "function", "function": {"name": "order_status", "parameters": {}}}],
        stream=True,
    )
    chunks = [chunk.choices[0] for chunk in stream if chunk.choices]
    calls = [call for chunk in chunks for call in chunk.delta.tool_calls or ()]
    assert calls[0].function is not None
    assert calls[0].function.name == "order_status"
    arguments = "".join(call.function.arguments or "" for call in calls if call.function)
    assert json.loads(arguments) == {"number": "HP-10423"}
    assert chunks[-1].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("question", "tool", "arguments"),
    [
        ("Where is my order?", "my_orders", {}),
        ("show me my recent orders", "my_orders", {}),
        ("我的订单到哪了？", "my_orders", {}),
        ("帮我查一下快递", "my_orders", {}),
        ("Has order hp-10423 shipped?", "order_status", {"number": "HP-10423"}),
        ("订单HP-10423什么时候到", "order_status", {"number": "HP-10423"}),
        ("Please cancel HP-10431", "cancel_order", {"number": "HP-10431"}),
        ("取消订单 HP-10431", "cancel_order", {"number": "HP-10431"}),
        ("订单 HP-10427 怎么样了？", "order_status", {"number": "HP-10427"}),
        ("Cancel my order", "my_orders", {}),
        ("I want to talk to a human", "ask_for_human", {"reason": "customer_request"}),
        ("转人工", "ask_for_human", {"reason": "customer_request"}),
        ("How do I return my boots?", "search_knowledge", {"query": "How do I return my boots?"}),
        ("怎么退货？", "search_knowledge", {"query": "怎么退货？"}),
        ("Can I change the address of my order?", "search_knowledge", None),
        ("How can I cancel an order?", "search_knowledge", None),
        ("I want to return HP-10388", "search_knowledge", None),
    ],
)
def test_right_tool_is_asked_for(
    client: openai.OpenAI, question: str, tool: str, arguments: dict[str, str] | None
) -> None:
    name, given = wanted(ask(client, said("user", question)))
    assert name == tool
    if arguments is not None:
        assert given == arguments


def test_only_offered_tools_are_asked_for(client: openai.OpenAI) -> None:
    answer = ask(client, said("user", "Where is my order?"), tools=ANONYMOUS_TOOLS)
    assert answer.tool_calls is None
    assert "sign in" in answer.content
    assert "不知道" in ask(client, said("user", "怎么退货？"), tools=()).content


def test_follow_up_is_searched_with_the_question_before_it(client: openai.OpenAI) -> None:
    before = (said("user", "How much is shipping?"), said("assistant", "It is free over $49."))
    _, arguments = wanted(ask(client, *before, said("user", "And to Canada?")))
    assert arguments["query"] == "How much is shipping? And to Canada?"


def passages(locale: str, *slugs: str) -> dict[str, Any]:
    found = [content.article(slug, locale) for slug in slugs]
    return {"passages": [{"title": one.title, "url": one.path, "text": one.body} for one in found]}


@pytest.mark.parametrize(
    ("question", "fact", "slugs"),
    [
        ("How many days do I have to return something?", "30 days", ("returns", "price-match")),
        ("How much is shipping to Canada?", "$12", ("shipping-times", "returns")),
        ("Can I pay with PayPal?", "PayPal", ("payment", "gift-cards")),
        ("How long is the warranty?", "2-year", ("warranty", "boot-care")),
        ("When do you open on Sunday?", "11 am", ("store-hours", "contact")),
        ("Can I put my tent in the washing machine?", "Never", ("tent-care", "boot-care")),
        ("多少天内可以退货？", "30 天", ("returns", "price-match")),
        ("可以用支付宝付款吗？", "支付宝", ("payment", "gift-cards")),
        ("保修多久？", "2 年", ("warranty", "returns")),
        ("周日几点开门？", "11 点", ("store-hours", "contact")),
    ],
)
def test_answer_holds_the_fact_and_names_its_source(
    client: openai.OpenAI, question: str, fact: str, slugs: tuple[str, ...]
) -> None:
    locale = "zh" if "？" in question else "en"
    found = used("search_knowledge", passages(locale, *slugs), query=question)
    answer = ask(client, said("user", question), *found).content
    assert fact in answer
    assert content.article(slugs[0], locale).title in answer
    assert len(answer) < 600


def test_passages_that_do_not_fit_are_not_worded(client: openai.OpenAI) -> None:
    question = "Do you sell kayaks?"
    found = used("search_knowledge", passages("en", "payment", "boot-care"), query=question)
    answer = ask(client, said("user", question), *found).content
    assert answer.startswith("I am sorry, I do not know")
    agreed = ask(client, said("user", question), said("assistant", answer), said("user", "Yes please"))
    assert wanted(agreed)[0] == "ask_for_human"


def test_no_passages_is_an_honest_answer(client: openai.OpenAI) -> None:
    found = used("search_knowledge", {"passages": []}, query="怎么退货？")
    assert "不知道" in ask(client, said("user", "怎么退货？"), *found).content


def test_orders_are_worded_from_the_result(client: openai.OpenAI) -> None:
    orders = used("my_orders", {"orders": [PROCESSING, SHIPPED, DELIVERED]})
    english = ask(client, said("user", "Where is my order?"), *orders).content
    assert english.startswith("Your order HP-10423 has shipped and should arrive by Tuesday, November 24.")
    assert "HP-10388" not in english
    chinese = ask(client, said("user", "我的订单到哪了"), *orders).content
    assert chinese.startswith("您的订单 HP-10423 已经发货，预计11月24日（星期二）前送达。")


def test_one_order_is_worded_without_inventing(client: openai.OpenAI) -> None:
    result = used("order_status", SHIPPED, number="HP-10423")
    answer = ask(client, said("user", "Where is HP-10423?"), *result).content
    assert answer == (
        "Your order HP-10423 has shipped and should arrive by Tuesday, November 24. "
        "It contains Granite Mid boots."
    )


def test_cancelling_without_a_number_finds_the_one_that_can_be(client: openai.OpenAI) -> None:
    question = said("user", "Please cancel my order")
    one = used("my_orders", {"orders": [SHIPPED, PROCESSING]})
    assert wanted(ask(client, question, *one)) == ("cancel_order", {"number": "HP-10431"})
    two = used("my_orders", {"orders": [PROCESSING, {**PROCESSING, "number": "HP-10432"}]})
    which = ask(client, question, *two)
    assert which.content == "Which one should I cancel: HP-10431 and HP-10432?"
    chosen = ask(client, question, said("assistant", which.content), said("user", "HP-10432"))
    assert wanted(chosen) == ("cancel_order", {"number": "HP-10432"})
    help_page = [*used("search_knowledge", {}), said("assistant", "Note its number, for example HP-10388.")]
    assert wanted(ask(client, said("user", "How do I return it?"), *help_page, question)) == ("my_orders", {})
    none = used("my_orders", {"orders": [SHIPPED]})
    assert "already left" in ask(client, question, *none).content


@pytest.mark.parametrize(
    ("result", "fact"),
    [
        ({"cancelled": True, "number": "HP-10431"}, "Your order HP-10431 has been cancelled."),
        ({"cancelled": False, "already_cancelled": True, "number": "HP-10431"}, "had already been cancelled"),
        ({"error": "Order HP-10431 has already been sent."}, "Order HP-10431 has already been sent."),
        ({"declined": True, "number": "HP-10431"}, "nothing has been changed"),
    ],
)
def test_outcome_of_an_approval_is_worded(client: openai.OpenAI, result: dict[str, Any], fact: str) -> None:
    outcome = used("cancel_order", result, number="HP-10431")
    assert fact in ask(client, said("user", "Cancel HP-10431"), *outcome).content


def test_placeholders_are_repeated_but_card_numbers_are_not(client: openai.OpenAI) -> None:
    assert ask(client, said("user", "My email is <EMAIL_1>")).content == "I have noted <EMAIL_1>."
    assert ask(client, said("user", "我的电话是 <PHONE_1>")).content == "我已记下 <PHONE_1>。"
    card = ask(client, said("user", "my card is <CARD_1>")).content
    assert "<CARD_1>" not in card
    assert "do not send card numbers" in card


def test_language_is_the_one_last_written(client: openai.OpenAI) -> None:
    before = (said("user", "我的订单到哪了"), said("assistant", "请问是哪一个订单？"))
    result = used("order_status", SHIPPED, number="HP-10423")
    assert "已经发货" in ask(client, *before, said("user", "HP-10423"), *result).content


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/chat/completions", b"{", 400),
        ("/chat/completions", b"[]", 400),
        ("/chat/completions", b'{"messages": "hello"}', 400),
        ("/embeddings", b"{}", 404),
    ],
)
def test_bad_requests_are_refused_with_a_sentence(address: str, path: str, body: bytes, status: int) -> None:
    answer = httpx.post(address + path, content=body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_reader_that_leaves_does_not_disturb_the_next(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="offline-small", messages=[{"role": "user", "content": "hello"}], stream=True
    )
    next(iter(stream))
    stream.close()
    assert ask(client, said("user", "hello")).content.startswith("Hello!")
