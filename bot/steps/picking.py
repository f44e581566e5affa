"""Which class answers: by the tier's order or by what the question takes, as far as the limits have room."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.models import CLASSES
from bot.steps.difficulty import Need
from bot.steps.reasons import Reason
from bot.steps.room import Room


class NoneLeft(Exception):
    """Limits have refused every class that might answer."""


@dataclass(frozen=True)
class Classes:
    """Those of the tier, in its order: with an enabled model; also priced; without those just refused."""

    enabled: Sequence[str]
    usable: Sequence[str]
    left: Sequence[str]


def first(classes: Classes, room: Room) -> Reason:
    """The first that has room; one that is full by a limit that names no other refuses by itself."""
    if not classes.left:
        raise NoneLeft
    chosen = next((name for name in classes.left if not room.steps_down(name)), classes.left[0])
    preferred = classes.enabled[0]
    if chosen != preferred:
        return Reason(
            chosen, cause="full" if preferred in classes.usable else "unpriced", instead_of=preferred
        )
    return Reason(chosen, ("first" if len(classes.enabled) > 1 else "only",))


def candidates(classes: Classes, need: Need) -> list[str]:
    """The cheapest that can do the job, and the cheaper ones after it; those just refused left out."""
    best = cheapest(classes.usable, need.model_class)
    downwards = [name for name in reversed(CLASSES[: CLASSES.index(best) + 1]) if name in classes.left]
    if not downwards:
        raise NoneLeft
    return downwards


def cheapest_with_room(classes: Classes, need: Need, room: Room) -> Reason:
    """The first candidate, or a cheaper one where a limit is full or nearly so."""
    wanted, downwards = cheapest(classes.enabled, need.model_class), candidates(classes, need)
    chosen = next((name for name in downwards if not room.steps_down(name)), downwards[0])
    if chosen != wanted:
        return Reason(chosen, cause="full" if wanted in classes.usable else "unpriced", instead_of=wanted)
    for cheaper in downwards[1:] if not need.wished else []:
        percent = room.near(chosen, cheaper)
        if percent is not None and room.eases(cheaper, chosen):
            return Reason(cheaper, cause="near", instead_of=chosen, percent=percent)
    return Reason(chosen, need.signs or ("simple",) if len(classes.enabled) > 1 else ("only",))


def cheapest(names: Iterable[str], least: str) -> str:
    """The cheapest that is at least this good; where none is, the best."""
    ladder = [name for name in CLASSES if name in set(names)]
    able = (name for name in ladder if CLASSES.index(name) >= CLASSES.index(least))
    return next(able, ladder[-1])
