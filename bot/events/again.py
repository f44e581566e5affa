"""What a browser that missed events of a turn is told again: never with a gap, never more than it needs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from bot.events.frames import Delta, Final, Reset
from bot.outbox import ATTEMPT_NUMBERS, Kept, outbox

# More than so many are told as a reset and what they come to.
MOST_AS_THEY_WERE = 100
# What fits a frame, however it is written.
DELTA_CHARACTERS = 20_000
PLACEHOLDER_CHARACTERS = 64

log = structlog.get_logger(__name__)


@dataclass
class Shown:
    """What a customer has been shown of a turn since its last reset."""

    text: str = ""
    cards: list[dict[str, Any]] = field(default_factory=list)


def shown(kept: list[Kept]) -> Shown | None:
    """What the events of a turn come to; None when they do not reach back to a beginning."""
    since = _since_reset(kept)
    if not _reaches_back(since):
        return None
    cards = [one.event for one in since if one.type == "card"]
    return Shown(_text(since), [{"kind": card["kind"], "data": card["data"]} for card in cards])


def told_again(turn: UUID, after: int, ending: Callable[[], Final] | None = None) -> list[Kept]:
    """The events that bring a browser from number `after` up to now.

    1. As they were, where they join up and are not many. Nothing before a reset matters. Who asks from 0 may
       have seen some all the same, and so gets every event by itself.
    2. Else a reset, and what everything said since the last one comes to.
    3. Of a turn that is over (`ending` makes its final from the database) in any case the final.

    Raises RedisError while the log cannot be read, unless the turn is over.
    """
    try:
        kept, last = outbox().log.read(str(turn), after)
        kept = _since_reset(_up_to_final(kept))
        few = after == 0 or len(kept) <= MOST_AS_THEY_WERE
        if few and _joins(kept, after) and (ending is None or _is_final(kept)):
            return kept
        whole = _since_reset(_up_to_final(outbox().log.read(str(turn), 0)[0]))
    except RedisError as error:
        if ending is None:
            raise
        log.warning("told from the database", turn=str(turn), error=type(error).__name__)
        kept, whole, last = [], [], 0
    if _is_final(whole):
        told = [whole[-1]] if whole[-1].seq <= after else _come_to(whole)
        return _numbered(told, max(last, after) + 1)
    if ending is not None:
        return _ended(kept, whole, after, ending())
    if not _joins(kept, after):
        return [*_numbered([_reset(kept[0])], kept[0].seq - 1), *kept]
    events = _come_to(whole or kept)
    # Numbered as late as the log, so that what follows there follows here.
    first = last - len(events) + 1
    return _numbered(events, first) if first > after else kept


def _ended(kept: list[Kept], whole: list[Kept], after: int, final: Final) -> list[Kept]:
    """The missing final; after the text, where what was shown is not the stored reply.

    Who asks from 0 may have seen more than a log that has lost its end.
    """
    body = Kept(final.json_text())
    last = kept[-1].seq if kept else after
    if (
        after
        and _joins(kept, after)
        and _reaches_back(whole)
        and whole[-1].seq == last
        and _text(whole) == final.text
    ):
        return [*kept, body.numbered(last + 1)]
    # Above whatever may have been said and forgotten.
    return _numbered(_come_to([body]), max(last, after, (final.attempt + 1) * ATTEMPT_NUMBERS) + 1)


def _numbered(events: list[Kept], first: int) -> list[Kept]:
    return [one.numbered(first + place) for place, one in enumerate(events)]


def _come_to(events: list[Kept]) -> list[Kept]:
    """A reset and everything that still matters, in as few events as it takes."""
    first = events[-1].event
    told = [_reset(events[-1])]
    if _is_final(events):
        # The reply is in it whole, whatever the log has kept.
        told += [one for one in events if one.type == "approval"]
        told += _deltas(first, events[-1].event["message"].get("text") or "")
        return [*told, events[-1]]
    said = ""
    for one in events:
        if one.type == "delta":
            said += one.event["text"]
        elif one.type in ("card", "approval"):
            told += [*_deltas(first, said), one]
            said = ""
    told += _deltas(first, said)
    return [*told, events[-1]] if events[-1].type == "working" else told


def _deltas(event: dict[str, Any], text: str) -> list[Kept]:
    """`text` as deltas that fit a frame and do not end inside a placeholder."""
    deltas = []
    while text:
        piece = text[:DELTA_CHARACTERS]
        if len(piece) < len(text) and (opened := piece.rfind("<", -PLACEHOLDER_CHARACTERS)) > 0:
            piece = piece[:opened]
        deltas.append(_kept(Delta(turn=event["turn"], attempt=event["attempt"], text=piece)))
        text = text[len(piece) :]
    return deltas


def _reset(one: Kept) -> Kept:
    return _kept(Reset(turn=one.event["turn"], attempt=one.event["attempt"]))


def _kept(event: Reset | Delta) -> Kept:
    return Kept('{"seq":0,' + event.json_text()[1:])


def _text(events: list[Kept]) -> str:
    return "".join(one.event["text"] for one in events if one.type == "delta")


def _since_reset(events: list[Kept]) -> list[Kept]:
    for place in range(len(events) - 1, -1, -1):
        if '"type":"reset"' in events[place].body and events[place].type == "reset":
            return events[place:]
    return events


def _up_to_final(events: list[Kept]) -> list[Kept]:
    for place, one in enumerate(events):
        if one.is_final:
            return events[: place + 1]
    return events


def _is_final(events: list[Kept]) -> bool:
    return bool(events) and events[-1].is_final


def _reaches_back(events: list[Kept]) -> bool:
    return bool(events) and (events[0].type == "reset" or events[0].seq == 1)


def _joins(events: list[Kept], after: int) -> bool:
    expected = after + 1
    for one in events:
        if one.seq != expected and one.type != "reset":
            return False
        expected = one.seq + 1
    return True
