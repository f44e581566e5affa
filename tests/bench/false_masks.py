"""How often something is masked that is nobody's.

`python -m tests.bench.false_masks --orders DIR --questions FILE`: DIR holds a shop's orders as tau2-bench
writes them (db.json), of which customers' sentences are made; FILE holds questions to a bank as Banking77
writes them (train.csv). Nothing in either is private. The orders are read twice: by a site that has told
nothing of its numbers, and by one that has (--pattern).
"""

import argparse
import csv
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bot.privacy import rules
from bot.privacy.engine import Engine
from bot.privacy.placeholders import Span
from bot.privacy.rules import Rules
from tests.bench import detecting

AT_ONCE = 50
EXAMPLES = 12
SITE_PATTERNS = [r"#W\d{7}", r"(?<!\d)\d{10}(?!\d)", r"(?<!\d)\d{12}(?!\d)", r"[a-z]+(?:_[a-z]+)*_\d{7}"]

# Each with what of an order it needs.
ENGLISH = (
    "Where is my order {order}?",
    "Hi, I placed order {order} last week and it still says {status}.",
    "Please cancel {order}, I ordered the wrong {option}.",
    "I'd like to exchange item {item} for {other_item}.",
    "Can I swap the {name} ({item}) in {order} for {other_item}?",
    "Is product {product} still in stock in {option}?",
    "Is {item} available in {option}?",
    "Do you have {product} or {other_item} instead?",
    "The tracking number is {tracking} but nothing has moved since Tuesday.",
    "My parcel {tracking} never arrived.",
    "Refund ${price} for item {item} to {payment} please.",
    "I paid {price} with {payment}, why does it say {total}?",
    "Return items {item}, {other_item} from order {order} to my gift card.",
    "Could you call the courier about {tracking}?",
    "The {name} with {option} cost {price} on 2024-05-14 and {total} on 12/06/2024.",
    "I want the {name}, {option}, not the one that came with {order}.",
    "Change {item} to the {option} one, and {product} too.",
    "order {order}\nitem {item}\nitem {other_item}\ntotal {total}",
    "{order} - {name} - {status} - {price}",
    "Why is my card charged {total} for {order}?",
    "Does the {name} work with version 2.4.1 of the app?",
    "It is {count} x {name}, {item}, at {price} each.",
)
CHINESE = (
    "我的订单{order}到哪了？",
    "订单{order}显示{status}，请帮我取消",
    "商品{item}可以换成{other_item}吗？",
    "{product}还有货吗，要{option}的",
    "快递单号{tracking}一直没更新",
    "运单{tracking}什么时候到？",
    "{order}里的{name}想退货，一共{total}元",
    "我用{payment}付了{price}，为什么扣了{total}？",
    "编号{item}和{other_item}哪个好？",
    "2024年5月14日下的单{order}，{count}件{name}",
    "请问货号{product}的{option}有现货吗",
    "把{item}换成{option}的，订单号是{order}",
)


def main() -> None:
    """1. Make the sentences. 2. Mask them, with and without the shop's patterns. 3. Print what was masked."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.false_masks", description=__doc__)
    parser.add_argument("--orders", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--pattern", action="append", help="a number of the shop's own; several may be given")
    options = parser.parse_args()
    with detecting.running(Engine(call_limit=10)) as engine:
        orders = json.loads((options.orders / "db.json").read_text(encoding="utf-8"))["orders"]
        known = rules.of(options.pattern or SITE_PATTERNS)
        for language, templates in (("en", ENGLISH), ("zh", CHINESE)):
            sentences = list(_sentences(list(orders.values()), templates))
            _report(f"orders, {language}, no pattern", engine, sentences, language, rules.of())
            _report(f"orders, {language}, with patterns", engine, sentences, language, known)
        _report("questions", engine, _questions(options.questions), "en", rules.of())


def _sentences(orders: Sequence[dict[str, Any]], templates: Sequence[str]) -> Iterator[str]:
    """Yield two sentences for each order, the same in every run."""
    chance = random.Random(4)
    tracked = [order for order in orders if order["fulfillments"]]
    for order in orders:
        for template in chance.sample(templates, 2):
            if "{tracking}" in template and not order["fulfillments"]:
                order = chance.choice(tracked)
            yield template.format(**_words(order, chance.choice(orders), chance))


def _words(order: dict[str, Any], other: dict[str, Any], chance: random.Random) -> dict[str, object]:
    item, paid = chance.choice(order["items"]), order["payment_history"][0]
    fulfilled = order["fulfillments"]
    return {
        "order": order["order_id"],
        "status": order["status"],
        "item": item["item_id"],
        "product": item["product_id"],
        "name": item["name"],
        "option": chance.choice(list(item["options"].values())),
        "price": item["price"],
        "other_item": other["items"][0]["item_id"],
        "tracking": fulfilled[0]["tracking_id"][0] if fulfilled else "",
        "payment": paid["payment_method_id"],
        "total": paid["amount"],
        "count": chance.randint(2, 9),
    }


def _questions(file: Path) -> list[str]:
    with file.open(encoding="utf-8", newline="") as lines:
        return [row["text"] for row in csv.DictReader(lines)]


def _report(title: str, engine: Engine, texts: Sequence[str], language: str, site: Rules) -> None:
    masked = [
        (text, spans)
        for start in range(0, len(texts), AT_ONCE)
        for text, spans in zip(
            texts[start : start + AT_ONCE],
            engine.detect(texts[start : start + AT_ONCE], language, site),
            strict=True,
        )
        if spans
    ]
    print(f"\n{title}: {len(masked)} of {len(texts)} sentences masked, {len(masked) / len(texts):.2%}")
    print("\n".join(_by_kind(masked)))


def _by_kind(masked: Sequence[tuple[str, list[Span]]]) -> Iterator[str]:
    examples: dict[str, Counter[str]] = defaultdict(Counter)
    for text, spans in masked:
        for span in spans:
            around = f"{text[max(0, span.start - 25) : span.start]}«{text[span.start : span.end]}»"
            examples[span.kind][" ".join((around + text[span.end : span.end + 15]).split())] += 1
    for kind, found in sorted(examples.items()):
        yield f"  {kind}: {sum(found.values())}"
        yield from (f"    {count:>3} {example}" for example, count in found.most_common(EXAMPLES))


if __name__ == "__main__":
    main()
