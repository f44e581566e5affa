"""One judge for all faults: when things have come to rest, do frames, rows, requests and ledger agree?

I1   every accepted message is stored, once, and belongs to a turn that ended, or to a person.
I2   every turn ended, in time; every tab that knew of it learned its end, and no two ends differ.
I3   what a tab showed since the last reset is what `final` said and what is stored, one reply a turn.
I4   no approved change had its effect twice, or without its approval.
I5   nothing is held; the windows sum to their holds; a message counts where a model's text was the reply.
I8   from the moment a person (or the queue) has the conversation the bot says nothing.
I12  every request that reached a model has one usage entry, and no entry is left open.
And no process has ended that nobody had told to: all that run are well again.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot import words
from tests.faults import effects
from tests.faults.customers import Customer, Tab
from tests.faults.reading import Turn
from tests.faults.stage import TURN_SECONDS, Row, Stage

PATIENCE = 45.0  # seconds from the end of a fault until everything rests
# Calls that may have ended before their request was on its way.
UNSENT = {"unreachable", "lost", "stopped", "timed_out", "connect", "circuit_open", "cancelled", "fenced"}

# Said in the place of a model that asked for a tool without a word.
OURS = {words.say(name, "en") for name in ("approval.ask", "handover.promise")}

_OF = """SELECT {what} FROM {table} one JOIN bot_conversation talk ON talk.id = one.conversation_id
 JOIN accounts_customer who ON who.id = talk.customer_id WHERE who.id = ANY(%s)"""
TURNS = _OF.format(what="one.*, talk.handler, who.id AS customer", table="bot_turn")
MESSAGES = _OF.format(what="one.*", table="bot_message")
ENTRIES = """SELECT entry.* FROM accounts_usageentry entry
 JOIN accounts_customer who ON who.id = entry.customer WHERE who.id = ANY(%s)"""
WINDOWS = """SELECT w.id, w.held, w.settled, w.overrun, who.id AS customer FROM accounts_window w
 JOIN accounts_customer who ON w.subject = 'customer:' || who.id WHERE who.id = ANY(%s)"""
HOLDS = """SELECT hold.* FROM accounts_hold hold JOIN bot_turn turn ON turn.id = hold.use
 JOIN bot_conversation talk ON talk.id = turn.conversation_id
 JOIN accounts_customer who ON who.id = talk.customer_id WHERE who.id = ANY(%s)"""
CALLS = """SELECT call.*, who.id AS customer FROM bot_toolcall call
 JOIN bot_turn turn ON turn.id = call.turn_id
 JOIN bot_conversation talk ON talk.id = turn.conversation_id
 JOIN accounts_customer who ON who.id = talk.customer_id WHERE who.id = ANY(%s)"""


@dataclass(frozen=True)
class Staged:
    """What was done to the product, where that changes what may be expected of it."""

    seconds: float = 0  # how long it could not have answered anybody
    values: dict[str, str] = field(default_factory=dict)  # what customers read for each placeholder
    lost_events: bool = (
        False  # Redis lost its data: a reply may come whole, by `final`, in place of its pieces
    )
    killed: bool = False  # a worker died: what it was about to send may have been charged and not sent


@dataclass
class Records:
    """The rows of everybody who played."""

    turns: dict[str, Row]
    messages: list[Row]
    entries: list[Row]
    windows: list[Row]
    holds: list[Row]
    calls: list[Row]

    @property
    def replies(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for message in self.messages:
            if message["author"] == "bot":
                found.setdefault(str(message["turn_id"]), []).append(message)
        return found

    @property
    def rest(self) -> bool:
        done = all(turn["state"] == "done" for turn in self.turns.values())
        charged = all(entry["outcome"] != "open" for entry in self.entries)
        return done and charged and all(hold["state"] != "held" for hold in self.holds)


@dataclass
class Verdict:
    records: Records
    wrong: list[str] = field(default_factory=list)


def records(stage: Stage, subs: str) -> Records:
    """The rows of everybody whose id on the site begins so."""
    played = {who: sub for sub, who in stage.customers().items() if sub.startswith(subs)}
    whose = list(played)
    turns = {str(row["id"]): row for row in stage.rows(TURNS, whose)}
    queries = (MESSAGES, ENTRIES, WINDOWS, HOLDS)
    calls = [{**row, "sub": played[row["customer"]]} for row in stage.rows(CALLS, whose)]
    return Records(turns, *(stage.rows(query, whose) for query in queries), calls)


async def rest(stage: Stage, subs: str, customers: Sequence[Customer], patience: float) -> Records:
    """Wait until nobody is owed anything and all is well; after that long, what there is by then."""
    ends = time.monotonic() + patience
    tabs = [tab for customer in customers for tab in customer.tabs]
    while True:
        found = await asyncio.to_thread(records, stage, subs)
        told = all(tab.rests for tab in tabs if tab.stays)
        well = bool(stage.crashed) or await asyncio.to_thread(lambda: stage.well)
        if (found.rest and told and well) or time.monotonic() > ends:
            return found
        await asyncio.sleep(0.05)


async def judge(
    stage: Stage, subs: str, customers: Sequence[Customer], staged: Staged, patience: float = PATIENCE
) -> Verdict:
    found = await rest(stage, subs, customers, patience + staged.seconds)
    return Verdict(found, list(_wrong(stage, found, customers, staged)))


def _wrong(stage: Stage, found: Records, customers: Sequence[Customer], staged: Staged) -> Iterator[str]:
    yield from _messages(found, customers)
    yield from _turns(found, staged)
    for customer in customers:
        for number, tab in enumerate(customer.tabs, start=1):
            for problem in _tab(found, tab, staged):
                yield f"{problem} (tab {number} of {customer.sub})"
    yield from _effects(stage, found)
    yield from _ledger(found)
    yield from _silence(found, customers)
    yield from _charges(stage, found)
    for process in stage.crashed:
        yield f"{process.name} ended by itself: {process.last_words(3)}"
    if not stage.crashed and not stage.well:
        yield "not all that runs is well again"


def _messages(found: Records, customers: Sequence[Customer]) -> Iterator[str]:
    stored = Counter(str(row["uuid"]) for row in found.messages)
    turn_of = {str(row["uuid"]): row["turn_id"] for row in found.messages}
    for said in (said for customer in customers for tab in customer.tabs for said in tab.said.values()):
        if said.rejected and not said.accepted:
            continue
        if not said.accepted:
            yield f"I1: message {said.id} was never accepted"
        elif stored[said.id] != 1:
            yield f"I1: message {said.id} was accepted and is stored {stored[said.id]} times"
        elif len({frame["turn"] for frame in said.accepted}) > 1:
            yield f"I1: message {said.id} was accepted for different turns"
        elif said.accepted[0]["turn"] not in (None, str(turn_of[said.id])):
            yield f"I1: message {said.id} was accepted for one turn and belongs to another"


def _turns(found: Records, staged: Staged) -> Iterator[str]:
    for id, turn in found.turns.items():
        replies = found.replies.get(id, [])
        if turn["state"] != "done":
            yield f"I2: turn {id} is {turn['state']}, attempt {turn['attempt']}"
            continue
        if len(replies) != 1:
            yield f"I3: turn {id} has {len(replies)} replies"
        took = (turn["finished_at"] - turn["queued_at"]).total_seconds()
        if took > TURN_SECONDS + staged.seconds:
            yield f"I2: turn {id} took {took:.1f} s"


def _tab(found: Records, tab: Tab, staged: Staged) -> Iterator[str]:
    for turn in tab.turns.values():
        replies = found.replies.get(turn.id, [])
        if turn.id not in found.turns or len(replies) != 1:
            continue
        if turn.ended_at is None:
            if tab.stays:
                yield f"I2: the end of turn {turn.id} was never told; shown {turn.text!r}, last {turn.last}"
            continue
        yield from _end(turn, replies[0], found.turns[turn.id], staged)


def _end(turn: Turn, stored: Row, row: Row, staged: Staged) -> Iterator[str]:
    ends = {(frame["message"]["text"], frame["message"]["id"], frame["state"]) for frame in turn.finals}
    if len(ends) > 1:
        yield f"I2: turn {turn.id} was told to end in {len(ends)} ways: {ends}"
    if any(state != row["outcome"] for _, _, state in ends):
        yield f"I2: turn {turn.id} ended {row['outcome']} and was told otherwise: {ends}"
    text = stored["masked"]
    for placeholder, value in staged.values.items():
        text = text.replace(placeholder, value)
    if turn.reply != text:
        yield f"I3: turn {turn.id} was told {turn.reply!r} and {text!r} is stored"
    if turn.finals and turn.text != text and not (staged.lost_events and turn.resumed):
        yield f"I3: turn {turn.id} showed {turn.text!r} and {text!r} is stored"


def _effects(stage: Stage, found: Records) -> Iterator[str]:
    changes = [call for call in found.calls if call["name"] == "cancel"]
    approved = Counter(
        f"{call['sub']} {call['arguments'].get('number')}"
        for call in changes
        if call["carried_by_id"] is not None
    )
    subs = {call["sub"] for call in changes}
    for effect, times in Counter(effects.made(stage.var)).items():
        if effect.split()[0] in subs and times > approved[effect]:
            yield f"I4: {effect!r} was done {times} times and approved {approved[effect]} times"
    for call in changes:
        if call["state"] in ("started", "approved"):
            yield f"I4: call {call['id']} is left {call['state']}"


def _ledger(found: Records) -> Iterator[str]:
    for hold in found.holds:
        if hold["state"] == "held":
            yield f"I5: a hold of turn {hold['use']} is left"
    for window in found.windows:
        mine = [hold for hold in found.holds if hold["window_id"] == window["id"]]
        settled = sum(hold["amount"] for hold in mine if hold["state"] == "settled")
        if window["held"] or window["settled"] != settled:
            yield f"I5: a window holds {window['held']} and has settled {window['settled']}, not {settled}"
    counted = {str(hold["use"]) for hold in found.holds if hold["state"] == "settled"}
    for id, turn in found.turns.items():
        said = [
            reply
            for reply in found.replies.get(id, [])
            if reply["source"] == "model" and reply["masked"] not in ("", *OURS)
        ]
        if said and id not in counted:
            yield f"I5: turn {id} was answered by a model and not counted"
        if id in counted and turn["first_text_at"] is None:
            yield f"I5: turn {id} was counted and showed no text of a model"


def _silence(found: Records, customers: Sequence[Customer]) -> Iterator[str]:
    """A tab that has been told of a person is not told of turns that the bot ended later than that."""
    for tab in (tab for customer in customers for tab in customer.tabs):
        since: float | None = None
        for at, frame in tab.frames:
            match frame["type"]:
                case "ready":
                    since = at if frame["conversation"]["handler"] == "person" else None
                case "status":
                    since = at if frame["handler"] == "person" else None
                case "final" if since and frame["state"] not in ("handed_over", "stopped"):
                    turn = found.turns.get(frame["turn"])
                    if turn and turn["finished_at"] and turn["finished_at"].timestamp() > since:
                        yield f"I8: turn {turn['id']} ended {frame['state']} while a person had it"


def _charges(stage: Stage, found: Records) -> Iterator[str]:
    requests, entries = len(stage.upstream.completions), len(found.entries)
    outcomes = Counter(entry["outcome"] for entry in found.entries)
    if outcomes["open"]:
        yield f"I12: {outcomes['open']} usage entries are left open"
    if entries < requests:
        yield f"I12: {requests} requests reached the model and {entries} are charged: {dict(outcomes)}"
    unsent = sum(outcomes[kind] for kind in UNSENT)
    if entries - requests > unsent:
        yield f"I12: {entries} requests are charged and {requests} were made: {dict(outcomes)}"
