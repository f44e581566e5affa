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


def candidates(classes: Classes, need: Need | None) -> list[str]:
    """The class that should answer, and the cheaper ones after it, of those that are left.

    Without a need the first of the tier should, else the cheapest that can do the job. A dearer one never
    steps in. Raises NoneLeft.
    """
    best = _best(classes.usable, need)
    downwards = [name for name in reversed(CLASSES[: CLASSES.index(best) + 1]) if name in classes.left]
    if not downwards:
        raise NoneLeft
    return downwards


def pick(classes: Classes, need: Need | None, room: Room) -> Reason:
    """The first candidate, or a cheaper one where a limit is full, or nearly and there is a need to weigh."""
    wanted, downwards = _best(classes.enabled, need), candidates(classes, need)
    # One that is full by a limit that lets no other answer refuses by itself, in its own words.
    chosen = next((name for name in downwards if not room.steps_down(name)), downwards[0])
    if chosen != wanted:
        return Reason(chosen, cause="full" if wanted in classes.usable else "unpriced", instead_of=wanted)
    if need and not need.wished and room.has(chosen) and (near := _near(chosen, downwards, room)):
        return near
    if len(classes.enabled) == 1:
        return Reason(chosen, ("only",))
    return Reason(chosen, (need.signs or ("simple",)) if need else ("first",))


def _near(chosen: str, downwards: list[str], room: Room) -> Reason | None:
    """A cheaper class that spares a window which is nearly used up."""
    for cheaper in downwards[downwards.index(chosen) + 1 :]:
        percent = room.near(chosen, cheaper)
        if percent is not None and room.eases(cheaper, chosen):
            return Reason(cheaper, cause="near", instead_of=chosen, percent=percent)
    return None


def _best(names: Sequence[str], need: Need | None) -> str:
    return cheapest(names, need.model_class) if need else names[0]


def cheapest(names: Iterable[str], least: str) -> str:
    """The cheapest that is at least this good; where none is, the best."""
    ladder = [name for name in CLASSES if name in set(names)]
    able = (name for name in ladder if CLASSES.index(name) >= CLASSES.index(least))
    return next(able, ladder[-1])
