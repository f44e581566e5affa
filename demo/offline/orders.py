"""Sentences about orders, worded from what the shop's tools returned."""

from __future__ import annotations

from datetime import date
from typing import Any

from demo.offline.phrases import TABLES, enumerated, joined, order_line, saying

MOST_WANTED = ("shipped", "processing", "delivered", "cancelled")


def one(order: dict[str, Any], language: str) -> str:
    """The state of one order and what is in it."""
    lines = [_state(order, language)]
    titles = _titles(order, language)
    if titles:
        lines.append(order_line(language, "items", items=titles))
    return joined(language, lines)


def several(orders: list[dict[str, Any]], language: str) -> str:
    """What is on its way first; old orders only when there is nothing else to tell."""
    if not orders:
        return order_line(language, "none")
    ranked = sorted(orders, key=lambda order: _rank(order.get("status")))
    current = [order for order in ranked if order.get("status") in {"shipped", "processing"}]
    return joined(language, [_state(order, language) for order in current[:3] or ranked[:1]])


def cancellable(orders: list[dict[str, Any]]) -> list[str]:
    return [
        str(order["number"])
        for order in orders
        if order.get("status") == "processing" and order.get("number")
    ]


def nothing_to_cancel(language: str) -> str:
    return order_line(language, "none_to_cancel")


def which_to_cancel(numbers: list[str], language: str) -> str:
    return order_line(language, "which_to_cancel", numbers=enumerated(language, numbers))


def cancelled(data: dict[str, Any], language: str) -> str:
    """How the cancellation went, as the tool said it."""
    if data.get("declined") or data.get("approved") is False:
        return saying(language, "declined")
    if data.get("already_cancelled"):
        key = "cancel_before"
    else:
        key = "cancel_done" if data.get("cancelled") else "cancel_not"
    said = order_line(language, key, number=str(data.get("number", "")))
    note = data.get("note")
    return joined(language, [said, note if isinstance(note, str) else ""])


def _state(order: dict[str, Any], language: str) -> str:
    lines, status = TABLES[language]["orders"], str(order.get("status", ""))
    if status == "delivered":
        day, key = order.get("delivered_on"), "delivered_on"
    else:
        day, key = order.get("eta"), f"{status}_eta"
    shown = _day(day, language)
    template = str(lines[key] if shown and key in lines else lines.get(status, lines["other"]))
    return template.format(number=order.get("number", ""), status=status, date=shown)


def _day(value: object, language: str) -> str:
    try:
        day = date.fromisoformat(str(value)[:10])
    except ValueError:
        return ""
    table = TABLES[language]
    weekday, month = table["weekdays"][day.weekday()], table["months"][day.month - 1]
    return str(table["day"]).format(weekday=weekday, month_name=month, day=day.day)


def _titles(order: dict[str, Any], language: str) -> str:
    items = [item for item in order.get("items") or () if isinstance(item, dict) and item.get("title")]
    titles = [
        f"{item['quantity']} × {item['title']}" if item.get("quantity", 1) != 1 else str(item["title"])
        for item in items
    ]
    return enumerated(language, titles)


def _rank(status: object) -> int:
    return MOST_WANTED.index(str(status)) if status in MOST_WANTED else len(MOST_WANTED)
