"""What is told again, to a browser by the rules: it ignores what it has, shows the next, takes any reset."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError

from bot import events
from bot.events import again
from bot.outbox import Kept

TURN = uuid4()


class Browser:
    """Shows what a browser by the protocol's rules shows."""

    def __init__(self) -> None:
        self.last = 0
        self.text = ""
        self.finals = 0

    def take(self, event: dict[str, Any]) -> None:
        if event["seq"] <= self.last:
            return
        if event["type"] == "reset":
            self.text = ""
        elif event["seq"] != self.last + 1:
            raise AssertionError(f"a gap: {event['seq']} after {self.last}")
        self.last = event["seq"]
        self.text += event.get("text", "")
        self.finals += event["type"] == "final"


class FakeLog:
    """A log in memory, which may have lost its beginning."""

    def __init__(self, kept: list[Kept], *, away: bool = False) -> None:
        self.kept = kept
        self.away = away

    @property
    def log(self) -> "FakeLog":
        return self

    def read(self, turn: str, after: int) -> tuple[list[Kept], int]:
        if self.away:
            raise ConnectionError
        later = [one for one in self.kept if one.seq > after]
        return later, self.kept[-1].seq if self.kept else 0


def event(seq: int, type_: str, **fields: Any) -> Kept:
    whole = {"seq": seq, "turn": str(TURN), "attempt": 1, "type": type_, **fields}
    return Kept(json.dumps(whole, separators=(",", ":")))


def final(text: str) -> events.Final:
    message = events.MessageBody(id=uuid4(), author="bot", text=text, turn=TURN, created_at=datetime.now(UTC))
    nothing = events.AllowanceBody(limits=[], exhausted=False)
    return events.Final(turn=TURN, attempt=1, message=message, state="answered", allowance=nothing)


def written(pieces: list[str], *, leap: int = 0) -> list[Kept]:
    """A turn's events: text, and a reset where a piece is empty."""
    kept, seq = [event(1, "working", label="…")], 1
    for piece in pieces:
        seq += 1
        if piece:
            kept.append(event(seq, "delta", text=piece))
        else:
            seq += leap
            kept.append(event(seq, "reset"))
    return kept


def ended(kept: list[Kept]) -> Kept:
    body = final(shown(kept)).json_text()
    return Kept(body).numbered(kept[-1].seq + 1)


def shown(kept: list[Kept]) -> str:
    browser = Browser()
    for one in kept:
        browser.take(one.event)
    return browser.text


def told(log: FakeLog, after: int, monkeypatch: pytest.MonkeyPatch, ending: str | None = None) -> list[Kept]:
    with monkeypatch.context() as patch:
        patch.setattr(again, "outbox", lambda: log)
        return again.told_again(TURN, after, None if ending is None else lambda: final(ending))


pieces = st.lists(st.sampled_from(["", "a", "bc", "<EMAIL_1> ", "d e f "]), max_size=30)


@given(pieces, st.integers(0, 400), st.integers(0, 400), st.booleans(), st.sampled_from([0, 5, 9_000]))
def test_browser_that_missed_events_shows_what_the_others_show(
    said: list[str], seen: int, repeated: int, over: bool, leap: int
) -> None:
    """Whatever it has seen, wherever it asks from; many events are told as what they come to."""
    monkeypatch = pytest.MonkeyPatch()
    kept = written(said * (1 + repeated % 9), leap=leap)
    if over:
        kept.append(ended(kept))
    browser = Browser()
    for one in kept[: seen % (len(kept) + 1)]:
        browser.take(one.event)
    for after in (browser.last, 0):
        copy = Browser()
        copy.__dict__.update(browser.__dict__)
        for one in told(FakeLog(kept), after, monkeypatch, shown(kept) if over else None):
            copy.take(one.event)
        assert copy.text == shown(kept)
        assert copy.finals == int(over) or browser.finals
        # What follows in the log follows here.
        if not over:
            copy.take(event(kept[-1].seq + 1, "delta", text="!").event)
            assert copy.text == shown(kept) + "!"


@given(pieces, st.integers(0, 40), st.integers(1, 40))
@example([""], 26, 1)
def test_final_that_redis_has_not_comes_from_the_database(said: list[str], seen: int, cut: int) -> None:
    """Nothing kept, only a part kept, Redis away: the same reply, once, and no gap."""
    monkeypatch = pytest.MonkeyPatch()
    kept = written(said)
    reply = shown(kept)
    browser = Browser()
    for one in kept[: seen % (len(kept) + 1)]:
        browser.take(one.event)
    for log in (FakeLog(kept), FakeLog(kept[:cut]), FakeLog(kept[cut:]), FakeLog([]), FakeLog([], away=True)):
        for after in (browser.last, 0):
            copy = Browser()
            copy.__dict__.update(browser.__dict__)
            for one in told(log, after, monkeypatch, reply):
                copy.take(one.event)
            assert (copy.text, copy.finals) == (reply, 1)


@given(pieces, st.integers(1, 40), st.integers(0, 40))
def test_log_that_was_cut_leaves_no_gap(said: list[str], cut: int, seen: int) -> None:
    monkeypatch = pytest.MonkeyPatch()
    kept = written(said)
    browser = Browser()
    for one in kept[: seen % (len(kept) + 1)]:
        browser.take(one.event)
    for one in told(FakeLog(kept[cut:]), browser.last, monkeypatch):
        browser.take(one.event)
    if kept[cut:]:
        browser.take(event(kept[-1].seq + 1, "delta", text="!").event)


def test_running_turn_of_which_nothing_is_kept_waits_for_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(FakeLog([]), 7, monkeypatch) == []


def test_long_text_comes_in_few_frames_that_do_not_cut_a_placeholder(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [event(1, "working", label="…")]
    kept += [event(seq, "delta", text="x" * 99 + "<EMAIL_1>") for seq in range(2, 1000)]
    events_told = told(FakeLog(kept), 3, monkeypatch)
    assert len(events_told) < 10
    texts = [one.event["text"] for one in events_told if one.type == "delta"]
    assert "".join(texts) == shown(kept)
    assert all(text.endswith("<EMAIL_1>") or "<" not in text[-9:] for text in texts)
    assert max(len(one.body) for one in events_told) < 50_000
    assert events_told[-1].seq == kept[-1].seq


def test_cards_and_questions_stay_in_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [event(1, "delta", text="Look: "), event(2, "card", kind="order", data={"number": "1"})]
    kept += [event(seq, "delta", text=".") for seq in range(3, 200)]
    told_kinds = [one.type for one in told(FakeLog(kept), 1, monkeypatch)]
    assert told_kinds == ["reset", "delta", "card", "delta"]
    assert again.shown(kept) == again.Shown(
        "Look: " + "." * 197, [{"kind": "order", "data": {"number": "1"}}]
    )
    assert again.shown(kept[1:]) is None
