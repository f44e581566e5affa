"""What the stand-in model answers to a prompt: words, or the wish for a tool."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from demo.offline import orders, passages
from demo.offline.phrases import enumerated, joined, kind_of, matches, saying
from demo.offline.prompt import PLACEHOLDER, Prompt, order_number

CONTACT = ("<EMAIL", "<PHONE", "<ADDRESS")
FEW_WORDS = 40  # characters
QUESTION_MARKS = ("?", "？")


@dataclass(frozen=True)
class Say:
    text: str


@dataclass(frozen=True)
class Ask:
    """One tool the model wants to use."""

    tool: str
    arguments: dict[str, str]


def answer(prompt: Prompt) -> Say | Ask:
    """Decide one step.

    1. A tool has just answered → word its result, or ask for the next tool it leads to.
    2. The customer wants a person, an order looked up or cancelled → ask for that tool.
    3. Small talk and private details left by the customer → say so.
    4. Everything else is a question for the help pages.
    """
    step = (
        _after_tool(prompt)
        if prompt.told
        else _to_wish(prompt) or _small_talk(prompt) or _to_knowledge(prompt)
    )
    return Say(_with_noted(prompt, step.text)) if isinstance(step, Say) else step


def _after_tool(prompt: Prompt) -> Say | Ask:
    last = prompt.told[-1]
    if last.tool == "search_knowledge":
        return _from_passages(prompt, last.data)
    if "error" in last.data:
        return Say(_failed(prompt, str(last.data["error"])))
    if last.tool == "my_orders":
        return _from_orders(prompt, _orders(last.data))
    if last.tool == "order_status":
        return Say(orders.one(last.data, prompt.language))
    if last.tool == "cancel_order":
        return Say(orders.cancelled(last.data, prompt.language))
    if last.data.get("declined"):
        return Say(_said(prompt, "declined"))
    return Say(_said(prompt, "person_asked" if last.tool == "ask_for_human" else "tool_done"))


def _failed(prompt: Prompt, error: str) -> str:
    """A shop's own reason is for the customer's eyes; that nobody is signed in is said in our words."""
    if "not signed in" in error:
        return _said(prompt, "sign_in")
    return _said(prompt, "tool_failed", error=error)


def _from_passages(prompt: Prompt, data: dict[str, Any]) -> Say:
    found = [passage for passage in data.get("passages") or () if isinstance(passage, dict)]
    return Say(passages.answer(_topic(prompt), prompt.language, found) or _unknown(prompt))


def _from_orders(prompt: Prompt, found: list[dict[str, Any]]) -> Say | Ask:
    if _wish(prompt.question) != "cancel" or not found:
        return Say(orders.several(found, prompt.language))
    numbers = orders.cancellable(found)
    if not numbers:
        return Say(orders.nothing_to_cancel(prompt.language))
    if len(numbers) == 1 and prompt.can_ask("cancel_order"):
        return Ask("cancel_order", {"number": numbers[0]})
    return Say(orders.which_to_cancel(numbers, prompt.language))


def _to_wish(prompt: Prompt) -> Say | Ask | None:
    wish = _wish(prompt.question)
    if wish == "person" or _agrees_to_person(prompt):
        if prompt.can_ask("ask_for_human"):
            return Ask("ask_for_human", {"reason": "customer_request"})
        return Say(_said(prompt, "person_missing"))
    number = order_number(prompt.question)
    if wish == "cancel" or (number and _was_asked_which(prompt)):
        return _to_cancel(prompt, number or prompt.last_number)
    if number and not matches("rules", prompt.question):
        return _ask_or_sign_in(prompt, "order_status", {"number": number})
    return _ask_or_sign_in(prompt, "my_orders", {}) if wish == "order" else None


def _to_cancel(prompt: Prompt, number: str | None) -> Say | Ask:
    if number:
        return _ask_or_sign_in(prompt, "cancel_order", {"number": number})
    return _ask_or_sign_in(prompt, "my_orders", {})


def _ask_or_sign_in(prompt: Prompt, tool: str, arguments: dict[str, str]) -> Say | Ask:
    return Ask(tool, arguments) if prompt.can_ask(tool) else Say(_said(prompt, "sign_in"))


def _small_talk(prompt: Prompt) -> Say | None:
    kind = kind_of("small_talk", prompt.question)
    if kind:
        return Say(_said(prompt, kind))
    return Say("") if _only_leaves_details(prompt.question) else None


def _to_knowledge(prompt: Prompt) -> Say | Ask:
    if prompt.question and prompt.can_ask("search_knowledge"):
        return Ask("search_knowledge", {"query": _topic(prompt)})
    return Say(_unknown(prompt))


def _topic(prompt: Prompt) -> str:
    """The question, with the one before it where it only makes sense together ("and to Canada?")."""
    question = PLACEHOLDER.sub("", prompt.question).strip()
    if prompt.earlier_questions and len(question) < 40 and matches("follow_up", question):
        return f"{prompt.earlier_questions[-1]} {question}"
    return question


def _wish(question: str) -> str | None:
    wish = kind_of("wishes", question)
    return None if wish == "order" and matches("rules", question) else wish


def _agrees_to_person(prompt: Prompt) -> bool:
    offered = prompt.last_answer.endswith(_said(prompt, "unknown"))
    return offered and matches("yes", prompt.question)


def _was_asked_which(prompt: Prompt) -> bool:
    """The last answer asked which of several orders to cancel."""
    numbers = re.findall(r"[A-Z]{2,4}-\d{4,8}", prompt.last_answer)
    return bool(numbers) and prompt.last_answer == orders.which_to_cancel(numbers, prompt.language)


def _only_leaves_details(question: str) -> bool:
    """ "My e-mail is <EMAIL_1>" and the like: details with a few words around them and no question."""
    words, found = PLACEHOLDER.subn("", question)
    return found > 0 and len(words) < FEW_WORDS and not any(mark in question for mark in QUESTION_MARKS)


def _with_noted(prompt: Prompt, text: str) -> str:
    """Repeat the details the customer left in this message; never a card number."""
    values = list(dict.fromkeys(PLACEHOLDER.findall(prompt.question)))
    left = [value for value in values if not value.startswith("<CARD")]
    if not _only_leaves_details(prompt.question):
        left = [value for value in left if value.startswith(CONTACT)]
    lines: list[str] = []
    if left:
        lines.append(_said(prompt, "noted", values=enumerated(prompt.language, left)))
    if "<CARD" in prompt.question:
        lines.append(_said(prompt, "card"))
    return joined(prompt.language, [*lines, text])


def _orders(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [order for order in data.get("orders") or () if isinstance(order, dict)]


def _unknown(prompt: Prompt) -> str:
    return _said(prompt, "unknown" if "ask_for_human" in prompt.offered else "unknown_alone")


def _said(prompt: Prompt, key: str, **values: str) -> str:
    return saying(prompt.language, key, **values)
