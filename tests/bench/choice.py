"""How many questions the smallest class gets, and how many of them it should not have got.

`python -m tests.bench.choice [--half tuning|held_out] [--data DIR]`: the questions of choice_questions.toml,
by language and half. With DIR, which holds banking77/train.csv and tau2-retail/tasks_train.json, also
questions to a bank, each of which a help page answers, and what customers of a shop want done, put into
their own words; it needs the more, the more changes it comes to. `--wrong` lists what went wrong.
"""

import argparse
import csv
import json
import os
import re
import time
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from bot.steps import difficulty  # noqa: E402
from bot.steps.difficulty import Thing  # noqa: E402
from demo import tools as shop  # noqa: E402

LABELLED = tomllib.loads((Path(__file__).parent / "choice_questions.toml").read_text("utf-8"))
LABELS = {"simple": "small", "large": "large", "reasoning": "reasoning"}
SHOP = frozenset(Thing(tool.name, tool.description, tool.verified) for tool in shop.TOOLS)
BANK = frozenset({Thing("account_movements", "Lists payments, transfers and cards.", verified=True)})
# Topics of questions to a bank that a help page answers, and those about something that has happened.
OF_ANYBODY = (
    *(
        "age_limit",
        "atm_support",
        "automatic_top_up",
        "card_acceptance",
        "country_support",
        "exchange_charge",
    ),
    *(
        "disposable_card_limits",
        "exchange_rate",
        "exchange_via_app",
        "fiat_currency_support",
        "top_up_limits",
    ),
    *("getting_spare_card", "getting_virtual_card", "supported_cards_and_currencies", "why_verify_identity"),
    *("top_up_by_card_charge", "top_up_by_bank_transfer_charge", "visa_or_mastercard"),
)
OF_THEIRS = (
    *("Refund_not_showing_up", "balance_not_updated_after_bank_transfer", "cancel_transfer", "card_arrival"),
    *("balance_not_updated_after_cheque_or_cash_deposit", "card_payment_not_recognised", "failed_transfer"),
    *("cash_withdrawal_not_recognised", "declined_card_payment", "declined_cash_withdrawal", "top_up_failed"),
    *("declined_transfer", "direct_debit_payment_not_recognised", "extra_charge_on_statement"),
    *("pending_card_payment", "pending_cash_withdrawal", "pending_top_up", "pending_transfer"),
    *("request_refund", "reverted_card_payment?", "top_up_reverted", "transaction_charged_twice"),
    *("transfer_not_received_by_recipient", "wrong_amount_of_cash_received", "card_swallowed"),
)
# Actions that only look: they need a tool, but nothing depends on them.
LOOKS = re.compile(r"^(?:get|find|list|calculate|think|transfer)_?")
MANY = 3
_FIRST_PERSON = (
    (r"\byou're\b|\byou are\b", "I am"),
    (r"\byou were\b", "I was"),
    (r"\byou've\b", "I've"),
    (r"\byou'd\b", "I'd"),
    (r"\byours\b", "mine"),
    (r"\byour\b", "my"),
    (r"\byourself\b", "myself"),
    (r"\b(to|for|with|of|at|sent|give|gave|tell|told|let|offer|offers) you\b", r"\1 me"),
    (r"\byou\b", "I"),
)


EXPLAINED = """
to small: of all questions
wrongly:  of those sent to small, how many need more
missed:   of those that need more, how many were sent to small
needless: of the simple ones, how many were not sent to small
too low:  of those that need reasoning, how many got less
ms:       of CPU, for one question"""


class Question(NamedTuple):
    text: str
    needs: str


class Tried(NamedTuple):
    """A question, the class it got and by which signs, and the seconds of CPU it took to tell."""

    question: Question
    given: str
    signs: tuple[str, ...]
    seconds: float


def ours(language: str, half: str) -> Iterator[Question]:
    for label, questions in LABELLED[language].items():
        for text in questions[_start(half) :: 2]:
            yield Question(text, LABELS[label])


def later(which: str, language: str) -> Iterator[Question]:
    """Those that were written after the others had been looked at."""
    for label, questions in LABELLED[f"{which}_{language}"].items():
        yield from (Question(text, LABELS[label]) for text in questions)


def _start(half: str) -> int:
    """Of every two questions one is for tuning."""
    return 0 if half == "tuning" else 1


def bank(data: Path, half: str) -> list[Question]:
    """By a bank without tools, which can only tell what its help pages say."""
    return [Question(row["text"], "small") for row in _asked_bank(data)[_start(half) :: 2]]


def bank_with_tools(data: Path) -> list[Question]:
    """By a bank that can look into accounts; told by the topic, and the topics in between are left out."""
    rows = [row for row in _asked_bank(data) if row["category"] in {*OF_ANYBODY, *OF_THEIRS}]
    return [Question(row["text"], "large" if row["category"] in OF_THEIRS else "small") for row in rows]


def _asked_bank(data: Path) -> list[dict[str, str]]:
    with (data / "banking77" / "train.csv").open(encoding="utf-8") as file:
        return [*csv.DictReader(file)]


def retail(data: Path) -> Iterator[Question]:
    """What each customer wants done; it needs the more the more of its actions change something."""
    tasks = json.loads((data / "tau2-retail" / "tasks_train.json").read_text("utf-8"))
    for task in tasks:
        names = [action["name"] for action in task["evaluation_criteria"]["actions"] or []]
        changes = sum(not LOOKS.match(name) for name in names)
        needs = "reasoning" if changes >= MANY else "large"
        told = task["user_scenario"]["instructions"]
        yield Question(_in_their_words(told["reason_for_call"]), needs)


def retail_tools(data: Path) -> frozenset[Thing]:
    tasks = json.loads((data / "tau2-retail" / "tasks_train.json").read_text("utf-8"))
    named = {action["name"] for task in tasks for action in task["evaluation_criteria"]["actions"] or []}
    return frozenset(Thing(name, "", verified=True) for name in named)


def _in_their_words(instruction: str) -> str:
    for pattern, instead in _FIRST_PERSON:
        instruction = re.sub(pattern, instead, instruction, flags=re.IGNORECASE)
    return instruction


def tried(questions: Iterable[Question], tools: frozenset[Thing]) -> list[Tried]:
    done = []
    for question in questions:
        began = time.thread_time()
        need = difficulty.of(question.text, tools)
        took = time.thread_time() - began
        done.append(Tried(question, need.model_class, need.signs, took))
    return done


def tell(name: str, done: list[Tried], *, wrong: bool) -> None:
    """One line of the table: of how many questions, which shares."""
    small = [one for one in done if one.given == "small"]
    harder = [one for one in done if one.question.needs != "small"]
    easy = [one for one in done if one.question.needs == "small"]
    missed = [one for one in small if one.question.needs != "small"]
    needless = [one for one in easy if one.given != "small"]
    hardest = [one for one in done if one.question.needs == "reasoning"]
    short = [one for one in hardest if one.given != "reasoning"]
    seconds = sorted(one.seconds for one in done)
    cells = [
        f"{name:<28}{len(done):>7}",
        _share(small, done),
        _share(missed, small),
        _share(missed, harder),
        _share(needless, easy),
        _share(short, hardest),
        f"{1000 * seconds[len(seconds) // 2]:>9.3f}{1000 * seconds[int(len(seconds) * 0.95)]:>9.3f}",
    ]
    print("".join(cells))
    for one in [*missed, *needless, *short] if wrong else []:
        print(f"    {one.question.needs} -> {one.given} {one.signs}: {one.question.text[:150]}")


def _share(some: list[Tried], whole: list[Tried]) -> str:
    return f"{len(some) / len(whole):>11.1%}" if whole else f"{'-':>11}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--half", choices=["tuning", "held_out"], action="append")
    parser.add_argument("--wrong", action="store_true")
    given = parser.parse_args()
    heads = "".join(f"{head:>11}" for head in ("to small", "wrongly", "missed", "needless", "too low"))
    print(f"{'questions':<35}{heads}{'p50 ms':>9}{'p95 ms':>9}")
    halves = given.half or ["tuning", "held_out"]
    for half in halves:
        for language in ("en", "zh"):
            tell(f"{half}, {language}", tried(ours(language, half), SHOP), wrong=given.wrong)
    for which in ("fresh", "last"):
        for language in ("en", "zh"):
            tell(f"{which}, {language}", tried(later(which, language), SHOP), wrong=given.wrong)
    if given.data:
        for half in halves:
            tell(f"{half}, bank without tools", tried(bank(given.data, half), frozenset()), wrong=False)
        tell("bank with tools, by topic", tried(bank_with_tools(given.data), BANK), wrong=False)
        tell("retail", tried(retail(given.data), retail_tools(given.data)), wrong=given.wrong)
    print(EXPLAINED)


if __name__ == "__main__":
    main()
