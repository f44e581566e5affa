"""How much of a long conversation a model is sent with each turn, and how much of it stays the same.

Runs in the product's environment, prints JSON; `measure` is for whoever starts it.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from config.embedded.servers import servers
from tests import product
from tests.bench.figures import Measured, Row

TURNS = 100
SITE = "bench"
QUESTION = (
    "Could you tell me more about number {n}? "
    + "I want to know what it is made of and how long it lasts. " * 6
)
ANSWER = (
    "Number {n} is a good choice. " + "It is made of wool, lasts for years and may be washed by hand. " * 12
)


def measure() -> Measured:
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as folder, servers(Path(folder)) as urls:
        environment = product.environment(Path(folder), urls)
        product.run(["tests.seed", SITE, "http://127.0.0.1:9/v1"], environment)
        command = [sys.executable, "-W", "ignore", "-m", __name__]
        told = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    found = json.loads(told.stdout)
    tokens, kept = found["tokens"], found["kept"]
    full = [number for number, count in enumerate(tokens) if count > max(tokens) * 0.75]
    steady = tokens[full[0] :]
    again = sum(kept[full[0] :]) / len(steady)
    rows = [Row(f"input tokens, turn {n}", f"{tokens[n - 1]}") for n in (1, 25, 50, 75, 100)]
    rows.append(Row(f"least and most from turn {full[0] + 1} on", f"{min(steady)} … {max(steady)}", "flat"))
    rows.append(Row("turns that begin as the one before", f"{again:.0%}", "most: providers cache it"))
    title = f"A conversation of {TURNS} turns, budget {found['budget']} tokens"
    return Measured(title, rows)


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(json.dumps(_converse()))


def _converse() -> dict[str, object]:
    """Tokens of each turn's prompt, and whether it begins with all of the prompt before."""
    from accounts import identity
    from accounts.models import Site
    from bot.events import TurnLog
    from bot.keeping import Kept
    from bot.llm import counting
    from bot.llm.base import Message, Request
    from bot.models import Conversation, Model, Turn
    from bot.models import Message as Said
    from bot.steps import opening, prompt
    from bot.steps.work import Work

    site = Site.objects.get(key=SITE)
    customer = identity.known_as(site, "patient")
    conversation = Conversation.objects.create(site=site, customer=customer)
    budget = Model.objects.get().context_tokens
    tokens, kept = [], []
    before: list[Message] = []
    for number in range(1, TURNS + 1):
        turn = Turn.objects.create(conversation=conversation, state=Turn.State.RUNNING)
        said = {"conversation": conversation, "turn": turn}
        Said.objects.create(author=Said.Author.CUSTOMER, masked=QUESTION.format(n=number), **said)
        log = TurnLog(turn.id, 1, conversation.id)
        asked = prompt.build(Work(opening.opened(turn.id), 1, Kept(log, "en", 0)), budget)
        tokens.append(counting.input_tokens(Request("gpt-4o-mini", tuple(asked))))
        kept.append(asked[: len(before)] == before)
        before = asked
        Said.objects.create(author=Said.Author.BOT, masked=ANSWER.format(n=number), **said)
        Turn.objects.filter(id=turn.id).update(state=Turn.State.DONE)
    return {"tokens": tokens, "kept": kept, "budget": budget}


if __name__ == "__main__":
    main()
